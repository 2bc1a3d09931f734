// MembersFile: the small file that says which configuration is in effect where a log begins.

#ifndef PONTOON_RAFT_STORAGE_MEMBERS_FILE_H_
#define PONTOON_RAFT_STORAGE_MEMBERS_FILE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/membership_history.h"
#include "raft/env/file_system.h"
#include "raft/storage/small_file.h"

namespace pontoon::raft {

// Keeps what would go with the entries that a log lets go of. When it is written, says
// segmented_log.h. What was asked for by the change that brought it (Item::request) is not kept:
// who asked has its answer, or nobody knows any more.
//
// Magic: "PONTMEMB". The integer: index of the entry that brought it, or of the last one of the
// snapshot that did. The bytes: the configuration (proto/membership.proto).
//
// Thread safety: one thread at a time.
class MembersFile {
 public:
  MembersFile(FileSystem* fs, const std::string& dir);

  // What was saved last; nothing if there is no file: the log has let go of no configuration.
  // DATA_LOSS if the file is damaged.
  absl::StatusOr<std::optional<MembershipHistory::Item>> Load() const;

  // Makes `item` durable. After an error either the old or the new one will be loaded.
  absl::Status Save(const MembershipHistory::Item& item);

 private:
  SmallFile file_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_MEMBERS_FILE_H_
