// MetaRecords: what a store knows of itself, taken out of a snapshot.

#ifndef PONTOON_KV_STORE_META_RECORDS_H_
#define PONTOON_KV_STORE_META_RECORDS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kv/store/record_reader.h"

namespace pontoon::kv {

// Holds the records 'm' of layout.h in memory, of which there are few; for ReadMeta and the like.
//
// Thread safety: none.
class MetaRecords final : public RecordReader {
 public:
  // Takes the record, if it is one of these. False if it is not.
  bool Take(std::string_view key, std::string_view value);

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override;
  std::unique_ptr<RecordIterator> NewIterator() const override;

  // In order of their keys; may be changed.
  std::map<std::string, std::string>& records() { return records_; }

 private:
  std::map<std::string, std::string> records_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_META_RECORDS_H_
