// VoteFile: the small file that keeps a node's term and vote.

#ifndef PONTOON_RAFT_STORAGE_VOTE_FILE_H_
#define PONTOON_RAFT_STORAGE_VOTE_FILE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/types.h"
#include "raft/env/file_system.h"
#include "raft/storage/small_file.h"

namespace pontoon::raft {

// Votes have a file of their own, so that nothing that is done to the log, and no repair of its
// tail, can make a node forget one: a node that votes twice in a term elects two leaders. It is
// replaced as a whole (small_file.h); votes are rare: once in an election.
//
// Magic: "PONTVOTE". The integers: term, vote.
//
// Thread safety: one thread at a time.
class VoteFile {
 public:
  VoteFile(FileSystem* fs, const std::string& dir);

  // What was saved last; nothing if there is no file. DATA_LOSS if the file is damaged.
  absl::StatusOr<std::optional<HardState>> Load() const;

  // Makes `state` durable. After an error either the old or the new one will be loaded.
  absl::Status Save(const HardState& state);

  const std::string& path() const { return file_.path(); }

 private:
  SmallFile file_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_VOTE_FILE_H_
