// KvReader: the store at a point in its history, as keys and values.

#ifndef PONTOON_KV_STORE_KV_READER_H_
#define PONTOON_KV_STORE_KV_READER_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "kv/store/key_range.h"
#include "kv/store/layout.h"
#include "kv/store/record_reader.h"
#include "kv/store/revision.h"

namespace pontoon::kv {

// A walk over keys in order, at one revision. Must not outlive its KvReader or the KeyRange's
// request.
class KvCursor {
 public:
  virtual ~KvCursor() = default;

  virtual bool Valid() const = 0;

  // These need Valid(). Views hold until the next move.
  virtual void Next() = 0;
  virtual std::string_view key() const = 0;
  // What the key holds, without the value: cheaper. After a storage error: an empty state.
  virtual KeyState Describe() = 0;
  // The same with the value, which is fetched for this.
  virtual KeyState Load() = 0;
};

// Reads keys and values, now and back to the compacted revision, from records.
//
// Storage errors stick to the reader: a scan that meets one ends early, and every result obtained
// since the reader was made is worthless unless status() is OK. So the logic above need not look at
// each step; whoever hands out the final result must.
//
// Thread safety: none; make one for each use, it is cheap.
class KvReader {
 public:
  // `records` must outlive the reader.
  KvReader(const RecordReader* records, Revision revision, Revision compacted)
      : records_(records), revision_(revision), compacted_(compacted) {}

  KvReader(const KvReader&) = delete;
  KvReader& operator=(const KvReader&) = delete;

  // The latest revision that can be read, and the oldest (if it is 1 or more).
  Revision revision() const { return revision_; }
  Revision compacted() const { return compacted_; }

  // For whoever changes the records underneath.
  void AdvanceTo(Revision revision);
  void CompactTo(Revision compacted);

  // The keys of `range` that exist at `revision`, which is at most revision(), and at least
  // compacted().
  std::unique_ptr<KvCursor> Scan(const KeyRange& range, Revision revision);
  // The same at revision().
  std::unique_ptr<KvCursor> Scan(const KeyRange& range) { return Scan(range, revision_); }

  bool LeaseExists(LeaseId lease);

  // What is read for results may take so much memory, from now on. Beyond that the reader has an
  // error, RESOURCE_EXHAUSTED. Not for what a command of the log reads: its results, errors too,
  // must be the same everywhere.
  void LimitResults(int64_t bytes_max) { result_bytes_max_ = bytes_max; }
  // A result takes so many bytes more, or less.
  void Charge(int64_t bytes);

  const absl::Status& status() const { return status_; }

 private:
  class PointCursor;
  class CurrentCursor;
  class HistoryCursor;

  // The state of `key` after the put `id`; its value points into `bytes`. An empty state after an
  // error, which is noted.
  KeyState LoadEvent(EventId id, std::string_view key, std::string* bytes);

  // Keeps the first error.
  void Note(const absl::Status& status);
  void NoteDamage(std::string_view record_key);

  const RecordReader* records_;
  Revision revision_;
  Revision compacted_;
  int64_t result_bytes_ = 0;
  int64_t result_bytes_max_ = std::numeric_limits<int64_t>::max();
  absl::Status status_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_KV_READER_H_
