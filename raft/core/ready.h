// Ready: everything that the core wants done, taken at once.

#ifndef PONTOON_RAFT_CORE_READY_H_
#define PONTOON_RAFT_CORE_READY_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "raft/base/membership.h"
#include "raft/base/membership_change.h"
#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::raft {

enum class Role { kFollower, kPreCandidate, kCandidate, kLeader };

const char* RoleName(Role role);

// Why a node tries to become the leader.
enum class ElectionCause {
  kNoLeaderHeard,  // for an election timeout
  kLeaderGone,     // its process was seen to be gone
  kHandOver,       // the leader asked for it
};
inline constexpr size_t kElectionCauses = 3;

// Who this node takes itself, and whom it takes as leader, to be.
struct RoleChange {
  Role role = Role::kFollower;
  Term term;
  NodeId leader;                                        // kNoNode while there is none
  const char* reason;                                   // in words, for the log; a literal
  std::optional<ElectionCause> attempt = std::nullopt;  // this change begins one, for that cause
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

// A follower needs entries that are gone from the log: send it a snapshot of the state machine, at
// or after `at_least`, and report OnSnapshotSent.
struct SnapshotRequest {
  NodeId peer;
  Term term;
  LogIndex at_least;
};

// A piece of a snapshot that the leader of `term` sent. When all are there, report
// OnSnapshotReceived.
struct ReceivedChunk {
  NodeId leader;
  Term term;
  SnapshotChunk chunk;
};

struct ReceivedAck {
  NodeId peer;
  SnapshotAck ack;
};

// A change of membership that this node asked for was not begun, and never will be.
struct RefusedChange {
  RequestId request;
  ChangeRefusal refusal;
};

struct Ready {
  std::optional<PersistBatch> persist;  // write; report OnPersisted
  std::vector<Message> messages;        // send at once, in this order for each peer
  // Put the received snapshot of this position in the place of the state, before anything that is
  // committed is applied.
  std::optional<LogPosition> install;
  std::optional<CommittedRange> committed;
  std::vector<ReadGrant> reads_granted;
  std::vector<ReadId> reads_refused;         // begin them again, once a leader is known
  std::vector<RequestId> proposals_refused;  // never appended; propose them again
  std::vector<LogReadRequest> log_reads;
  std::vector<SnapshotRequest> snapshots_wanted;
  std::vector<ReceivedChunk> chunks;
  std::vector<ReceivedAck> acks;
  std::optional<RoleChange> role_change;
  // Everybody whom this node may have to reach, if they are others now: the members by the
  // configuration in effect, and those that leave, until that is committed.
  std::optional<PeerUrls> peers;
  std::vector<RequestId> changes_done;  // that this node asked for: committed, and complete
  std::vector<RefusedChange> changes_refused;
  bool removed = false;  // this node is no member any more, and will not be again
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_READY_H_
