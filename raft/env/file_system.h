// FileSystem: the disk, as far as a node needs it.
//
// The seam behind which the real file system and a simulated one stand; the simulated one loses,
// tears and refuses what POSIX allows to be lost, torn and refused. Nothing here is durable before
// it was synced: the bytes and the size of a file by File::Sync, and its name, or that the name is
// gone, by FileSystem::SyncDir of the folder.
//
// Errors carry the path and the system's text for the errno. A path that is missing is NOT_FOUND,
// one that is in the way ALREADY_EXISTS, a full disk RESOURCE_EXHAUSTED.

#ifndef PONTOON_RAFT_ENV_FILE_SYSTEM_H_
#define PONTOON_RAFT_ENV_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pontoon {

// An open file. Destroying it closes it and syncs nothing.
//
// Thread safety: ReadAt and Size may be called from any thread, also during the other calls, which
// are made by one thread at a time.
class File {
 public:
  virtual ~File() = default;

  // Reads from `offset` until `out` is full or the file ends. Returns the number of bytes read.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) const = 0;

  // Writes all of `bytes` at `offset`, past the end of the file too. After an error any part of
  // them may have been written.
  virtual absl::Status WriteAt(uint64_t offset, absl::string_view bytes) = 0;

  // Reserves the disk's space for the first `bytes` of the file. A file that was shorter grows to
  // that size, with zeros.
  virtual absl::Status Preallocate(uint64_t bytes) = 0;

  // Cuts the file to `bytes`, or extends it with zeros.
  virtual absl::Status Truncate(uint64_t bytes) = 0;

  // Makes the bytes and the size durable. An error is final for what was written since the last
  // Sync: the system may have dropped it, and a second Sync would say OK.
  virtual absl::Status Sync() = 0;

  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

// Keeps others out of a folder for as long as it lives. The system releases it when the process
// dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread safety: all methods may be called from any thread.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The machine's. Lives for ever.
  static FileSystem* Posix();

  // Makes a new file, readable and writable by its owner only. ALREADY_EXISTS if there is one.
  virtual absl::StatusOr<std::unique_ptr<File>> CreateFile(const std::string& path) = 0;

  // Opens a file that exists.
  virtual absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path) = 0;

  // The size of a file, in bytes.
  virtual absl::StatusOr<uint64_t> FileSize(const std::string& path) const = 0;

  // Whether there is a file or a folder.
  virtual absl::StatusOr<bool> Exists(const std::string& path) const = 0;

  // Makes a folder that only its owner may enter; OK if it is there already. The one that it lies
  // in must exist.
  virtual absl::Status CreateDir(const std::string& path) = 0;

  // The names in a folder, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) const = 0;

  // Makes durable which names the folder holds.
  virtual absl::Status SyncDir(const std::string& path) = 0;

  // Replaces a file at `to`, in one step.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;

  // Removes a file, or an empty folder.
  virtual absl::Status Remove(const std::string& path) = 0;

  // Locks `path`, a file that is created when it is missing. FAILED_PRECONDITION if someone, in
  // this process or another one, holds the lock.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// `dir`/`name`.
std::string JoinPath(absl::string_view dir, absl::string_view name);
// The folder that `path` lies in.
std::string DirName(absl::string_view path);

// Removes a file, or a folder with all that is in it. OK if there is none.
absl::Status RemoveTree(FileSystem* fs, const std::string& path);

// The bytes of a file. Meant for files that fit into memory.
absl::StatusOr<std::string> ReadAll(const File& file);

// Gives the file `path` new `contents`, durably and in one step: whatever happens meanwhile, the
// file holds either all of the old or all of the new. Uses `path`.tmp on the way.
absl::Status ReplaceFile(FileSystem* fs, const std::string& path, absl::string_view contents);

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_FILE_SYSTEM_H_
