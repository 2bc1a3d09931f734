// StrictEnv: LevelDB's way to the disk, without second chances.
//
// LevelDB is careful about what it reads and careless about what it fails to write:
//
//   1. After a failed append to its log it goes on. The log then has a hole, and what is appended
//      later, even if synced, is dropped at the next start (db_impl.cc, Write: only a failed sync
//      is remembered).
//   2. When it changes to a new log file it does not sync the old one. After a power failure the
//      end of the old one can be missing while the new one is there: a state that never was
//      (google/leveldb#193). That breaks the promise that data and applied index go together.
//   3. It syncs the directory only together with the MANIFEST. A new log file, the renamed CURRENT
//      or a new database as a whole can be missing after a power failure.
//   4. A file system may report a failed sync once, and keep nothing ("Can applications recover
//      from fsync failures?", USENIX ATC 2020). To try again proves nothing.
//
// So this Env calls the disk failure handler on the first failed append, flush, sync, close or
// rename; syncs a log file before it is closed, which LevelDB does before the first append to the
// next one; and syncs the directory around a new log file, a new folder or a renamed file.

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
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status CreateDir(const std::string& name) override;
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
