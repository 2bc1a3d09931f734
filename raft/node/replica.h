// Replica: a member of a replicated state machine, as the services on top of it see it.

#ifndef PONTOON_RAFT_NODE_REPLICA_H_
#define PONTOON_RAFT_NODE_REPLICA_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/membership.h"
#include "raft/base/membership_change.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/core/ready.h"

namespace pontoon::raft {

// The command was committed and applied on this node.
struct Applied {
  LogPosition position;
  std::unique_ptr<ApplyResult> result;
};

// The command was not applied and never will be: it may be given again.
struct NotApplied {
  enum class Reason {
    kNoLeader,    // none was found before the deadline
    kOverloaded,  // this node or the leader has too much in hand
    kStopped,     // this node is stopping
  };
  Reason reason;
};

// Nobody here knows whether the command was or will be applied. Giving it again could apply it
// twice.
struct OutcomeUnknown {
  enum class Reason {
    kDeadline,   // passed while the command was under way
    kStopped,    // this node is stopping
    kOvertaken,  // this node got a snapshot, which may have the command in it
  };
  Reason reason;
};

using ProposeOutcome = std::variant<Applied, NotApplied, OutcomeUnknown>;
// Called once, on any thread, perhaps before Propose has returned: it must not block.
using ProposeCallback = absl::AnyInvocable<void(ProposeOutcome) &&>;

// OK, or: DEADLINE_EXCEEDED (no leader confirmed the read in time), UNAVAILABLE (the node is
// stopping), RESOURCE_EXHAUSTED (too many reads wait).
using ReadCallback = absl::AnyInvocable<void(absl::Status) &&>;

// The change of membership is committed, and complete: no joint configuration is left.
struct ChangeMade {};

// Nobody here knows whether the change was or will be made: the deadline passed, or the node is
// stopping, while it was under way. The list of members tells, later.
struct ChangeUnknown {};

// With a ChangeRefusal nothing of the change was or will be made.
using ChangeOutcome = std::variant<ChangeMade, ChangeRefusal, ChangeUnknown>;
// Called once, on any thread, perhaps before ChangeMembership has returned: it must not block.
using ChangeCallback = absl::AnyInvocable<void(ChangeOutcome) &&>;

// OK, or: FAILED_PRECONDITION (this node does not lead), NOT_FOUND (the target, or everybody, is
// unfit to take over), ABORTED (another node than the target leads now), DEADLINE_EXCEEDED,
// UNAVAILABLE (this node is stopping). Called once, on any thread, perhaps before
// TransferLeadership has returned: it must not block.
using TransferCallback = absl::AnyInvocable<void(absl::Status) &&>;

// How far the leader knows a follower to be.
struct FollowerProgress {
  NodeId node;
  LogIndex match;
  absl::Duration last_contact_age;  // InfiniteDuration: not heard of in this term
  // Of the log, what the follower has not acknowledged. All are 0 if it has everything.
  uint64_t lag_entries = 0;
  uint64_t lag_bytes = 0;  // an estimate, for entries that are older than this process
  // Since the oldest of those entries came into this node's log, or this process began.
  absl::Duration lag_age = absl::ZeroDuration();
  bool gets_snapshot = false;
};

// Who leads, as far as a replica knows.
struct Leadership {
  Term term;
  NodeId leader;  // kNoNode if none is known
};

// A recent picture of a replica.
struct ReplicaStatus {
  NodeId self;
  Role role = Role::kFollower;
  Term term;
  NodeId leader;  // kNoNode if none is known
  LogIndex last_index;
  LogIndex commit;
  LogIndex applied;
  Membership membership;                    // that is committed, as far as this node knows
  LogIndex membership_index;                // it is in effect after this entry
  std::vector<FollowerProgress> followers;  // on the leader only
};

// A change of who leads, or of what this replica does about it.
struct PastRoleChange {
  absl::Duration age;
  RoleChange change;
};

// Thread safety: all methods may be called from any thread. None blocks.
class Replica {
 public:
  virtual ~Replica() = default;

  // Has `command` applied once on every member, through the leader wherever it is. While the
  // replica knows that an attempt had no effect (no leader, the leader was deposed first) it tries
  // again until `deadline`.
  virtual void Propose(Payload command, Instant deadline, ProposeCallback done) = 0;

  // Calls `done` with OK once this node has applied everything that was committed anywhere in the
  // cluster when ReadBarrier was called; a read of the local state after that is linearizable
  // (thesis 6.4). With ReadMode::kLease that holds as long as the clocks do; it takes no round trip
  // while the leader holds its lease.
  virtual void ReadBarrier(ReadMode mode, Instant deadline, ReadCallback done) = 0;

  // Makes `changes` all together, through the leader wherever it is (RaftCore::ChangeMembership).
  // What is refused for the moment only, kNoLeader and kBusy, is tried again until `deadline`. A
  // change is never made twice: after an attempt that may have had an effect there is no other.
  virtual void ChangeMembership(std::vector<MembershipChange> changes, Instant deadline,
                                ChangeCallback done) = 0;

  // Hands leadership to `target`, or to the fittest voter for kNoNode: to be done before a planned
  // stop, so that nobody has to wait for an election timeout. OK once it leads.
  virtual void TransferLeadership(NodeId target, Instant deadline, TransferCallback done) = 0;

  virtual ReplicaStatus Status() const = 0;

  // Parts of the same, for those who ask with each request.
  virtual Leadership CurrentLeadership() const {
    const ReplicaStatus status = Status();
    return {status.term, status.leader};
  }
  // Whether the replica itself has no vote.
  virtual bool IsLearner() const {
    const ReplicaStatus status = Status();
    return status.membership.IsLearner(status.self);
  }
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_REPLICA_H_
