#include "tests/sim/lessor_replica.h"

#include <utility>

#include "proto/command.pb.h"
#include "raft/base/check.h"
#include "tests/sim/bookkeeper.h"
#include "tests/sim/machine.h"

namespace pontoon::sim {
namespace {

using storage::v1::Command;

// What a lessor may put into the log.
Operation OperationOf(const Command& command) {
  Operation operation;
  if (command.has_lease_revocation()) {
    operation.kind = OperationKind::kRevoke;
    operation.lease = LeaseId(command.lease_revocation().id());
    operation.leader_term = Term(command.lease_revocation().leader_term());
  } else {
    CHECK(command.has_lease_checkpoints()) << command.ShortDebugString();
    operation.kind = OperationKind::kCheckpoint;
    operation.leader_term = Term(command.lease_checkpoints().leader_term());
    for (const auto& checkpoint : command.lease_checkpoints().checkpoints()) {
      operation.checkpoints.push_back({LeaseId(checkpoint.id()), checkpoint.remaining_ttl()});
    }
  }
  return operation;
}

}  // namespace

void LessorReplica::Propose(Payload payload, Instant deadline, raft::ProposeCallback done) {
  Command command;
  CHECK(command.ParseFromString(*payload));
  Operation operation = OperationOf(command);
  CHECK_NE(operation.leader_term, Term());
  CHECK_EQ(operation.leader_term, confirmed_)
      << "node " << machine_->id() << " is not confirmed to lead, and decides about leases";
  operation.id = bookkeeper_->NextId();
  bookkeeper_->Propose(machine_, operation, WithOperation(*payload, operation.id), deadline,
                       std::move(done));
}

void LessorReplica::ReadBarrier(raft::ReadMode mode, Instant deadline, raft::ReadCallback done) {
  const raft::Leadership asked = CurrentLeadership();
  machine_->node()->ReadBarrier(mode, deadline,
                                [this, asked, done = std::move(done)](absl::Status status) mutable {
                                  if (status.ok() && asked.leader == machine_->id()) {
                                    confirmed_ = asked.term;
                                    machine_->StandStillAtTimes();
                                  }
                                  std::move(done)(std::move(status));
                                });
}

void LessorReplica::ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) {
  CHECK(false) << "not a lessor's affair";
}

void LessorReplica::TransferLeadership(NodeId, Instant, raft::TransferCallback) {
  CHECK(false) << "not a lessor's affair";
}

raft::ReplicaStatus LessorReplica::Status() const { return machine_->node()->Status(); }

raft::Leadership LessorReplica::CurrentLeadership() const {
  return machine_->node()->CurrentLeadership();
}

}  // namespace pontoon::sim
