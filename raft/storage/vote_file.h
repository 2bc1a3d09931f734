// VoteFile: the small file that keeps a node's term and vote.

#ifndef PONTOON_RAFT_STORAGE_VOTE_FILE_H_
#define PONTOON_RAFT_STORAGE_VOTE_FILE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/types.h"
#include "raft/env/file_system.h"

namespace pontoon::raft {

// Votes have a file of their own, so that nothing that is done to the log, and no repair of its
// tail, can make a node forget one: a node that votes twice in a term elects two leaders.
//
// The file is replaced as a whole (written beside, synced, renamed, folder synced) rather than
// written in place into two alternating slots. Slots would save a sync, but a slot that fails its
// checksum would leave open whether the last write was torn, and the other slot is the truth, or
// whether it was complete and rotted since, and the other slot is a vote forgotten. A renamed file
// is complete from the moment it has its name: if it is damaged, it is damage, and the node stops.
// Votes are rare: once in an election.
//
//   offset  bytes
//        0      8  magic: "PONTVOTE"
//        8      4  format version: 1
//       12      4  CRC-32C of the other bytes
//       16      8  term
//       24      8  vote
//
// Thread safety: one thread at a time.
class VoteFile {
 public:
  VoteFile(FileSystem* fs, const std::string& dir);

  // What was saved last; nothing if there is no file. DATA_LOSS if the file is damaged.
  absl::StatusOr<std::optional<HardState>> Load() const;

  // Makes `state` durable. After an error either the old or the new one will be loaded.
  absl::Status Save(const HardState& state);

  const std::string& path() const { return path_; }

 private:
  FileSystem* const fs_;
  const std::string path_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_VOTE_FILE_H_
