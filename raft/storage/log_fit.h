// Whether a log and a state were made by one node, and how to go on with them.

#ifndef PONTOON_RAFT_STORAGE_LOG_FIT_H_
#define PONTOON_RAFT_STORAGE_LOG_FIT_H_

#include <string>

#include "absl/status/status.h"
#include "raft/base/types.h"
#include "raft/storage/log_store.h"

namespace pontoon::raft {

// A state as it was found when a node started.
struct FoundState {
  LogPosition applied;     // the last entry in it
  LogIndex began_as;       // the last entry of the snapshot that it began as; 0: from nothing
  std::string membership;  // StateMachine::Membership
};

// Makes `log`, which lies in `log_path` and was found to hold `recovered`, go with `state`. Both
// are kept as they are if the log has the state's last entry, or begins after it: then the node
// needs a snapshot (RaftCore asks for it).
//
// A snapshot is durable before the log is told to begin anew with it. If a crash came in between,
// the state is a snapshot to which nothing was applied, and the log does not have its last entry:
// the log is reset now. All that it holds was either never committed, or is in the snapshot.
//
// Everything else is refused, with words for the operator. DATA_LOSS: the log ends before what was
// applied. An entry is applied only once this node's own log has it, synced; so the log has lost
// its end, and the node no longer knows what it acknowledged beyond the state: to go on from there,
// voting and acknowledging, could undo what the cluster has committed. FAILED_PRECONDITION: the two
// never belonged together. Errors of the log itself are passed on, and that of DecodeMembership.
absl::Status FitLogToState(const std::string& log_path, const FoundState& state, LogStore* log,
                           RecoveredLog* recovered);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_LOG_FIT_H_
