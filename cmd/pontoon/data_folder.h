// DataFolder: the folder with all of a member's data, checked and locked.
//
//   identity   whose data this is (identity.h)
//   LOCK       held by the process that uses the folder
//   log/       the replicated log and the member's votes
//   state/     the state that the log was applied to

#ifndef PONTOON_CMD_PONTOON_DATA_FOLDER_H_
#define PONTOON_CMD_PONTOON_DATA_FOLDER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/identity.h"
#include "raft/env/file_system.h"

namespace pontoon {

class DataFolder {
 public:
  // Opens the folder that `config` names, makes it if it is not there, and keeps other processes
  // out of it until the DataFolder is gone. Nothing is changed in a folder that is refused: one
  // that is in use, belongs to another member or cluster, is damaged, or cannot be written. An
  // error is one line for the operator that says what to do.
  static absl::StatusOr<DataFolder> Open(FileSystem* fs, const Config& config);

  const Identity& identity() const { return identity_; }
  const std::string& path() const { return path_; }
  std::string log_path() const;
  std::string state_path() const;

 private:
  DataFolder(std::string path, Identity identity, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), identity_(std::move(identity)), lock_(std::move(lock)) {}

  std::string path_;
  Identity identity_;
  std::unique_ptr<FileLock> lock_;
};

// What the operator should know about who else may read the folder, if anyone may.
std::optional<std::string> FolderAccessNotice(const std::string& path);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_DATA_FOLDER_H_
