// StrictEnv: LevelDB's way to the disk, without second chances.
//
// The replicated log is the write-ahead log of the store, so LevelDB's own is not kept: this Env
// takes what is appended to it, and forgets it. What LevelDB holds in memory is lost in a crash,
// and applied again. Tables are synced before the MANIFEST names them, so that the disk always
// holds the state after some earlier write. That also leaves nothing of what goes wrong with
// LevelDB's log: a hole after a failed append (db_impl.cc, Write: only a failed sync is
// remembered), a new log that is there while the end of the old one is missing
// (google/leveldb#193), a torn end that is taken for damage.
//
// LevelDB is careful about what it reads and careless about what it fails to write:
//
//   1. It syncs the directory only together with the MANIFEST. The renamed CURRENT or a new
//   database
//      as a whole can be missing after a power failure.
//   2. A file system may report a failed sync once, and keep nothing ("Can applications recover
//      from fsync failures?", USENIX ATC 2020). To try again proves nothing.
//
// So this Env calls the disk failure handler on the first failed append, sync, close or
// rename, and syncs the directory around a new folder or a renamed file.

#ifndef PONTOON_KV_STORE_STRICT_ENV_H_
#define PONTOON_KV_STORE_STRICT_ENV_H_

#include <functional>
#include <string>

#include "leveldb/env.h"

namespace pontoon::kv {

// Called with a sentence on what failed, from any thread. It should not return; if it does, LevelDB
// is given the error, and what is on the disk is unknown.
using DiskFailureHandler = std::function<void(const std::string& what)>;

// Prints `what`, and ends the process at once: no destructor gets to write anything more.
[[noreturn]] void ExitOnDiskFailure(const std::string& what);

// Makes the entries of a directory durable.
using DirectorySync = std::function<leveldb::Status(const std::string& directory)>;

// Syncs a directory of the operating system's file system.
leveldb::Status SyncSystemDirectory(const std::string& directory);

// Thread safety: as every Env, safe for use by many threads.
class StrictEnv : public leveldb::EnvWrapper {
 public:
  // `base` must outlive this.
  StrictEnv(leveldb::Env* base, DirectorySync sync_directory, DiskFailureHandler on_failure);

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status CreateDir(const std::string& name) override;
  // A file or a folder.
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;

 private:
  class File;

  // Tells the handler of a failure, and returns `status` in any case.
  leveldb::Status Require(const leveldb::Status& status, const char* action,
                          const std::string& name) const;
  leveldb::Status SyncDirectoryOf(const std::string& name) const;

  DirectorySync sync_directory_;
  DiskFailureHandler on_failure_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_STRICT_ENV_H_
