// Ready: everything that the core wants done, taken at once.

#ifndef PONTOON_RAFT_CORE_READY_H_
#define PONTOON_RAFT_CORE_READY_H_

#include <optional>
#include <vector>

#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::raft {

enum class Role { kFollower, kPreCandidate, kCandidate, kLeader };

const char* RoleName(Role role);

// Who this node takes itself, and whom it takes as leader, to be.
struct RoleChange {
  Role role = Role::kFollower;
  Term term;
  NodeId leader;       // kNoNode while there is none
  const char* reason;  // in words, for the log; a literal
};

// Entries to apply: first..last, inclusive. `entries` are the last ones of them, as far as they are
// still in memory; those before must be read from the log.
struct CommittedRange {
  LogIndex first;
  LogIndex last;
  std::vector<Entry> entries;
};

struct ReadGrant {
  ReadId id;
  LogIndex index;  // the read is linearizable once this entry is applied
};

// A follower needs entries that are no longer in memory: read them from the log from `first` on, up
// to about `bytes_max` but at least one, and hand them to OnEntriesRead.
struct LogReadRequest {
  NodeId peer;
  Term term;
  LogIndex first;
  LogIndex last;
  size_t bytes_max = 0;
};

struct Ready {
  std::optional<PersistBatch> persist;  // write; report OnPersisted
  std::vector<Message> messages;        // send at once, in this order for each peer
  std::optional<CommittedRange> committed;
  std::vector<ReadGrant> reads_granted;
  std::vector<ReadId> reads_refused;         // begin them again, once a leader is known
  std::vector<RequestId> proposals_refused;  // never appended; propose them again
  std::vector<LogReadRequest> log_reads;
  std::optional<RoleChange> role_change;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_READY_H_
