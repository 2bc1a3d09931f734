// RecordCache: records that were looked up or written a short while ago, in memory.

#ifndef PONTOON_KV_STORE_RECORD_CACHE_H_
#define PONTOON_KV_STORE_RECORD_CACHE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kv/store/record_reader.h"

namespace leveldb {
class Cache;
}

namespace pontoon::kv {

// For whoever applies commands: a write looks up what its key holds, and keys that are written are
// written again. LevelDB's own cache holds blocks, and so still searches its levels, each time.
//
// It is as true as its user keeps it: every change of a record that may be in it must be noted.
//
// Thread safety: none.
class RecordCache {
 public:
  // Forgets what was not used for longest when all records take more than `capacity_bytes`.
  explicit RecordCache(size_t capacity_bytes);
  ~RecordCache();

  RecordCache(const RecordCache&) = delete;
  RecordCache& operator=(const RecordCache&) = delete;

  // If the cache knows of `key`, returns whether there is such a record; if so, sets `value`.
  std::optional<bool> Find(std::string_view key, std::string* value);
  // Remembers a record, or, without a value, that there is none.
  void Note(std::string_view key, std::optional<std::string_view> value);
  void ForgetAll();

 private:
  const std::unique_ptr<leveldb::Cache> records_;
};

// Reads of the present records of keys ('c' in layout.h) through a cache; all else is passed on.
//
// Thread safety: none.
class CachedReader : public RecordReader {
 public:
  // Both must outlive the reader; what `cache` knows must be as it is in `base`.
  CachedReader(const RecordReader* base, RecordCache* cache) : base_(base), cache_(cache) {}

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override;
  std::unique_ptr<RecordIterator> NewIterator() const override { return base_->NewIterator(); }

 private:
  const RecordReader* const base_;
  RecordCache* const cache_;
};

// Whether a CachedReader keeps the record `key`, so that a change of it must be noted.
bool IsCached(std::string_view key);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_RECORD_CACHE_H_
