// Database: the LevelDB that a store lives in.

#ifndef PONTOON_KV_STORE_DATABASE_H_
#define PONTOON_KV_STORE_DATABASE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kv/store/record_reader.h"
#include "kv/store/store_options.h"
#include "kv/store/strict_env.h"

namespace leveldb {
class Cache;
class DB;
class FilterPolicy;
class Logger;
class Snapshot;
class WriteBatch;
}  // namespace leveldb

namespace pontoon::kv {

// Owns LevelDB with all that it needs, set up for a state machine: what it holds can be rebuilt
// from the replicated log, so it need not be synced, but it must be a state that the log really
// made. See strict_env.h for what that takes.
//
// Thread safety: all methods may be called from any thread.
class Database {
 public:
  // Opens the database in the folder `dir`, whose parent exists; makes it if it does not exist.
  // DATA_LOSS if it is damaged, UNAVAILABLE if it cannot be opened otherwise (as while another
  // process has it open); both name the folder and say what to do.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& dir,
                                                        const StoreOptions& options);
  ~Database();

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Writes all of `batch` or, after a crash, none of it. It stays in memory for now; batches get to
  // the disk in order. After an error the process should stop.
  absl::Status Write(leveldb::WriteBatch* batch);
  // Returns when every earlier write survives a power failure. Takes as long as writing the
  // memory's share of the state, some megabytes, to a file. After an error the process should stop.
  absl::Status Sync();
  // Merges the tables that hold records from `begin` to `end`, from the front on and so far as they
  // have some ten megabytes. Returns the record key to go on from; `end` if that was all. Writes go
  // on meanwhile. Not dropped is what a reader still sees that was made before, nor what lies in
  // one table with its own removal: less than a write buffer, and until LevelDB merges that.
  std::string CompactStep(std::string_view begin, std::string_view end);
  // Whether there was a write since the last Sync.
  bool HasUnsynced() const { return unsynced_; }

  // When the last user lets go of the database, it is closed, and then its folder is removed.
  void RetireWhenClosed() { retired_ = true; }

  // The sum of the sizes of its files.
  uint64_t DiskBytes() const;
  // About the bytes that it needs: of the tables in use, and of what is still in memory. Asked with
  // each write: it is measured anew only after some writing, and what was written since counts as
  // it is.
  uint64_t LiveBytes() const;
  // The same, measured now, which takes LevelDB's lock for some microseconds.
  uint64_t MeasureLiveBytes() const;

  const std::string& dir() const { return dir_; }

 private:
  friend class SnapshotReader;

  Database(std::string dir, const StoreOptions& options);

  // What LiveBytes knows: the size, and how much had been written by then.
  struct Measurement {
    uint64_t live_bytes = 0;
    uint64_t written_bytes = 0;
    bool is_made = false;
  };
  void Measure() const;  // needs the lock

  const std::string dir_;
  // In order of construction; LevelDB itself goes first.
  std::unique_ptr<StrictEnv> env_;
  std::unique_ptr<leveldb::Logger> logger_;
  std::unique_ptr<leveldb::Cache> block_cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
  std::atomic<uint64_t> written_bytes_ = 0;  // by all batches so far
  mutable std::mutex measurement_mutex_;
  mutable Measurement measurement_;  // guarded by measurement_mutex_
  std::atomic<bool> unsynced_ = false;
  std::atomic<bool> retired_ = false;
};

// The way to the disk that `options` name.
std::unique_ptr<StrictEnv> NewStrictEnv(const StoreOptions& options);

// The records of a database as they are when the reader is made. While it lives, LevelDB keeps what
// was overwritten since: it is for seconds, not for hours.
//
// Thread safety: all methods may be called from any thread; each iterator by one.
class SnapshotReader : public RecordReader {
 public:
  explicit SnapshotReader(std::shared_ptr<const Database> database);
  ~SnapshotReader() override;

  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;

  absl::StatusOr<bool> Get(std::string_view key, std::string* value) const override;
  std::unique_ptr<RecordIterator> NewIterator() const override;

 private:
  const std::shared_ptr<const Database> database_;
  const leveldb::Snapshot* const snapshot_;
};

// The error for a state that cannot be used, because of `why`, which is the rest of a sentence; it
// says how to go on without it.
absl::Status UnusableState(absl::StatusCode code, const std::string& dir, absl::string_view why);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_DATABASE_H_
