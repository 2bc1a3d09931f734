// DataFolder: the folder with all of a member's data, checked and locked.
//
//   identity   whose data this is (identity.h)
//   peers      which data folders the peers have (peer_book.h)
//   removed    there if the member was removed from the cluster: the data are of no use any more
//   LOCK       held by the process that uses the folder
//   log/       the replicated log and the member's votes
//   state/     the state that the log was applied to

#ifndef PONTOON_CMD_PONTOON_DATA_FOLDER_H_
#define PONTOON_CMD_PONTOON_DATA_FOLDER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/identity.h"
#include "cmd/pontoon/peer_book.h"
#include "raft/env/file_system.h"

namespace pontoon {

// A member without data: who it is, and what others know of its peers.
struct Newcomer {
  Identity identity;
  Incarnations peers = {};
};

// Finds out who the member is whose folder is empty. May take its time: to join a cluster means to
// ask it. An error is one line for the operator.
using NewcomerMaker = std::function<absl::StatusOr<Newcomer>(const Config& config)>;

class DataFolder {
 public:
  // Opens the folder that `config` names, makes it if it is not there (then `make` says who the
  // member is), and keeps other processes out of it until the DataFolder is gone. Nothing is
  // changed in a folder that is refused: one that is in use, belongs to another member or cluster,
  // or to a member that was removed, is damaged, or cannot be written. An error is one line for the
  // operator that says what to do.
  static absl::StatusOr<DataFolder> Open(FileSystem* fs, const Config& config,
                                         const NewcomerMaker& make);

  const Identity& identity() const { return identity_; }
  const std::string& path() const { return path_; }
  std::string log_path() const { return LogPathIn(path_); }
  std::string state_path() const { return StatePathIn(path_); }
  std::string peers_path() const;

  static std::string LogPathIn(const std::string& folder);
  static std::string StatePathIn(const std::string& folder);

  // From the next time on the folder is refused: its member was removed from the cluster.
  absl::Status MarkRemoved() const;

 private:
  DataFolder(FileSystem* fs, std::string path, Identity identity, std::unique_ptr<FileLock> lock)
      : fs_(fs), path_(std::move(path)), identity_(std::move(identity)), lock_(std::move(lock)) {}

  FileSystem* fs_;
  std::string path_;
  Identity identity_;
  std::unique_ptr<FileLock> lock_;
};

// What the operator should know about who else may read the folder, if anyone may.
std::optional<std::string> FolderAccessNotice(const std::string& path);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_DATA_FOLDER_H_
