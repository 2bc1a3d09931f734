#include "kv/service/testing/instant_replica.h"

#include <span>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::kv {

InstantReplica::InstantReplica(NodeId self, StateMachine* state_machine)
    : InstantReplica(self, state_machine, NewThreadExecutor("replica")) {}

InstantReplica::InstantReplica(NodeId self, StateMachine* state_machine,
                               std::unique_ptr<Executor> executor)
    : state_machine_(state_machine), executor_(std::move(executor)) {
  absl::MutexLock lock(&mutex_);
  status_.self = self;
  status_.role = raft::Role::kLeader;
  status_.term = Term{1};
  status_.leader = self;
  status_.membership.voters = {self};
  status_.applied = status_.commit = status_.last_index = state_machine->Applied().index;
}

InstantReplica::~InstantReplica() = default;

void InstantReplica::Propose(Payload command, Instant deadline, raft::ProposeCallback done) {
  std::optional<raft::ProposeOutcome> outcome;
  {
    absl::MutexLock lock(&mutex_);
    ++proposals_;
    last_deadline_ = deadline;
    outcome.swap(next_outcome_);
  }
  executor_->Post([this, command = std::move(command), outcome = std::move(outcome),
                   done = std::move(done)]() mutable {
    std::move(done)(outcome ? *std::move(outcome) : Apply(std::move(command)));
  });
}

raft::ProposeOutcome InstantReplica::Apply(Payload command) {
  ApplyItem item;
  {
    absl::MutexLock lock(&mutex_);
    item.entry.index = status_.applied.Next();
    item.entry.term = status_.term;
  }
  item.entry.kind = EntryKind::kCommand;
  item.entry.payload = std::move(command);
  item.wants_result = true;
  const absl::Status applied = state_machine_->Apply(std::span(&item, 1));
  CHECK(applied.ok()) << applied.ToString();
  absl::MutexLock lock(&mutex_);
  status_.applied = status_.commit = status_.last_index = item.entry.index;
  return raft::Applied{{item.entry.index, item.entry.term}, std::move(item.result)};
}

void InstantReplica::ReadBarrier(raft::ReadMode, Instant deadline, raft::ReadCallback done) {
  absl::Status answer;
  {
    absl::MutexLock lock(&mutex_);
    ++barriers_;
    last_deadline_ = deadline;
    std::swap(answer, next_barrier_);
  }
  executor_->Post([answer = std::move(answer), done = std::move(done)]() mutable {
    std::move(done)(std::move(answer));
  });
}

void InstantReplica::ChangeMembership(std::vector<MembershipChange> changes, Instant deadline,
                                      raft::ChangeCallback done) {
  raft::ChangeOutcome outcome;
  {
    absl::MutexLock lock(&mutex_);
    last_deadline_ = deadline;
    outcome = next_change_.has_value() ? *next_change_ : Make(changes);
    next_change_.reset();
  }
  executor_->Post([outcome, done = std::move(done)]() mutable { std::move(done)(outcome); });
}

raft::ChangeOutcome InstantReplica::Make(const std::vector<MembershipChange>& changes) {
  auto applied = ApplyChanges(status_.membership, changes);
  if (const auto* refusal = std::get_if<ChangeRefusal>(&applied)) return *refusal;
  status_.membership = std::get<Membership>(std::move(applied));
  return raft::ChangeMade();
}

void InstantReplica::TransferLeadership(NodeId target, Instant deadline,
                                        raft::TransferCallback done) {
  absl::Status answer;
  {
    absl::MutexLock lock(&mutex_);
    last_deadline_ = deadline;
    std::swap(answer, next_transfer_);
    if (answer.ok()) status_.leader = target;
  }
  executor_->Post([answer = std::move(answer), done = std::move(done)]() mutable {
    std::move(done)(std::move(answer));
  });
}

raft::ReplicaStatus InstantReplica::Status() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

void InstantReplica::SetTerm(Term term) {
  absl::MutexLock lock(&mutex_);
  status_.term = term;
}

void InstantReplica::SetLeader(NodeId leader) {
  absl::MutexLock lock(&mutex_);
  status_.leader = leader;
}

void InstantReplica::SetFollowers(std::vector<raft::FollowerProgress> followers) {
  absl::MutexLock lock(&mutex_);
  status_.followers = std::move(followers);
}

void InstantReplica::SetMembership(Membership membership) {
  absl::MutexLock lock(&mutex_);
  status_.membership = std::move(membership);
}

void InstantReplica::FailNextProposal(raft::ProposeOutcome outcome) {
  absl::MutexLock lock(&mutex_);
  next_outcome_ = std::move(outcome);
}

void InstantReplica::FailNextChange(raft::ChangeOutcome outcome) {
  absl::MutexLock lock(&mutex_);
  next_change_ = outcome;
}

void InstantReplica::FailNextBarrier(absl::Status error) {
  absl::MutexLock lock(&mutex_);
  next_barrier_ = std::move(error);
}

void InstantReplica::FailNextTransfer(absl::Status error) {
  absl::MutexLock lock(&mutex_);
  next_transfer_ = std::move(error);
}

int InstantReplica::proposals() const {
  absl::MutexLock lock(&mutex_);
  return proposals_;
}

int InstantReplica::barriers() const {
  absl::MutexLock lock(&mutex_);
  return barriers_;
}

Instant InstantReplica::last_deadline() const {
  absl::MutexLock lock(&mutex_);
  return last_deadline_;
}

}  // namespace pontoon::kv
