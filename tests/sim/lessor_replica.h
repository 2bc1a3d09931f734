// LessorReplica: between a lessor and the node that it belongs to.

#ifndef PONTOON_TESTS_SIM_LESSOR_REPLICA_H_
#define PONTOON_TESTS_SIM_LESSOR_REPLICA_H_

#include <vector>

#include "raft/base/membership_change.h"
#include "raft/base/types.h"
#include "raft/node/replica.h"

namespace pontoon::sim {

class Bookkeeper;
class Machine;

// Makes operations of what the lessor puts into the log, which is checked as that of clients is;
// and checks that the lessor ends leases, or notes what is left of them, only in the name of a term
// in which its node was confirmed to lead.
//
// A failed check ends the process.
//
// Thread safety: none.
class LessorReplica final : public raft::Replica {
 public:
  // Both are borrowed.
  LessorReplica(Machine* machine, Bookkeeper* bookkeeper)
      : machine_(machine), bookkeeper_(bookkeeper) {}

  void Propose(Payload command, Instant deadline, raft::ProposeCallback done) override;
  void ReadBarrier(raft::ReadMode mode, Instant deadline, raft::ReadCallback done) override;
  void ChangeMembership(std::vector<MembershipChange> changes, Instant deadline,
                        raft::ChangeCallback done) override;
  void TransferLeadership(NodeId target, Instant deadline, raft::TransferCallback done) override;
  raft::ReplicaStatus Status() const override;
  raft::Leadership CurrentLeadership() const override;

 private:
  Machine* const machine_;
  Bookkeeper* const bookkeeper_;
  Term confirmed_;  // the last term of which it was confirmed that the node led it
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_LESSOR_REPLICA_H_
