// InstantReplica: a replica for tests, which commits and applies at once.

#ifndef PONTOON_KV_SERVICE_TESTING_INSTANT_REPLICA_H_
#define PONTOON_KV_SERVICE_TESTING_INSTANT_REPLICA_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "raft/base/state_machine.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// A cluster of one, as far as the services can tell. It leads in term 1 until it is told otherwise,
// and keeps its pretences apart: without a leader it still does whatever it is not told to refuse.
// It calls back on a thread of its own, as a real replica does.
//
// Thread safety: all methods may be called from any thread.
class InstantReplica final : public raft::Replica {
 public:
  // Borrows `state_machine`.
  InstantReplica(NodeId self, StateMachine* state_machine);
  // Calls back, and applies, on `executor`.
  InstantReplica(NodeId self, StateMachine* state_machine, std::unique_ptr<Executor> executor);
  // Drops what is under way.
  ~InstantReplica() override;

  void Propose(Payload command, Instant deadline, raft::ProposeCallback done) override;
  void ReadBarrier(raft::ReadMode, Instant deadline, raft::ReadCallback done) override;
  // Decides as a leader would to whom all learners keep up.
  void ChangeMembership(std::vector<MembershipChange> changes, Instant deadline,
                        raft::ChangeCallback done) override;
  // Stays what it is, and has `target` lead from now on.
  void TransferLeadership(NodeId target, Instant deadline, raft::TransferCallback done) override;
  raft::ReplicaStatus Status() const override;

  // What Status says.
  void SetTerm(Term term);
  void SetLeader(NodeId leader);
  void SetFollowers(std::vector<raft::FollowerProgress> followers);
  void SetMembership(Membership membership);

  // The next call gets this answer instead of the real one.
  void FailNextProposal(raft::ProposeOutcome outcome);
  void FailNextBarrier(absl::Status error);
  void FailNextChange(raft::ChangeOutcome outcome);
  void FailNextTransfer(absl::Status error);

  // Counts, and the deadline, of the calls so far.
  int proposals() const;
  int barriers() const;
  Instant last_deadline() const;

 private:
  raft::ProposeOutcome Apply(Payload command);
  raft::ChangeOutcome Make(const std::vector<MembershipChange>& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  StateMachine* const state_machine_;

  mutable absl::Mutex mutex_;
  raft::ReplicaStatus status_ ABSL_GUARDED_BY(mutex_);
  std::optional<raft::ProposeOutcome> next_outcome_ ABSL_GUARDED_BY(mutex_);
  absl::Status next_barrier_ ABSL_GUARDED_BY(mutex_);
  std::optional<raft::ChangeOutcome> next_change_ ABSL_GUARDED_BY(mutex_);
  absl::Status next_transfer_ ABSL_GUARDED_BY(mutex_);
  int proposals_ ABSL_GUARDED_BY(mutex_) = 0;
  int barriers_ ABSL_GUARDED_BY(mutex_) = 0;
  Instant last_deadline_ ABSL_GUARDED_BY(mutex_);

  const std::unique_ptr<Executor> executor_;  // last: its tasks use the rest
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_TESTING_INSTANT_REPLICA_H_
