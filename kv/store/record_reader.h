// RecordReader: an ordered set of records, to read from.
//
// What the store's logic sees of LevelDB: it is the same over a snapshot (SnapshotReader) and over
// a snapshot with changes on top that are not written yet (WriteOverlay).

#ifndef PONTOON_KV_STORE_RECORD_READER_H_
#define PONTOON_KV_STORE_RECORD_READER_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pontoon::kv {

// A walk over records in order of their keys; not positioned until the first Seek. Must not outlive
// its reader.
class RecordIterator {
 public:
  virtual ~RecordIterator() = default;

  // Whether the iterator stands at a record. After an error it does not.
  virtual bool Valid() const = 0;
  // Goes to the first record whose key is not less than `target`.
  virtual void Seek(std::string_view target) = 0;

  // These need Valid(). Views hold until the next move.
  virtual void Next() = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;

  // Not OK if the storage failed or is damaged; that lasts.
  virtual absl::Status status() const = 0;
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // Whether there is a record with this key; if so, sets `value`. An error means that the storage
  // failed or is damaged.
  virtual absl::StatusOr<bool> Get(std::string_view key, std::string* value) const = 0;

  virtual std::unique_ptr<RecordIterator> NewIterator() const = 0;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_RECORD_READER_H_
