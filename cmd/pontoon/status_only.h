// StatusOnly: a replica for tests that has nothing but a status.

#ifndef PONTOON_CMD_PONTOON_STATUS_ONLY_H_
#define PONTOON_CMD_PONTOON_STATUS_ONLY_H_

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "raft/base/check.h"
#include "raft/node/replica.h"

namespace pontoon {

// Thread safety: one thread.
class StatusOnly final : public raft::Replica {
 public:
  raft::ReplicaStatus Status() const override { return status; }
  // Passes at once.
  void ReadBarrier(raft::ReadMode, Instant, raft::ReadCallback done) override {
    std::move(done)(absl::OkStatus());
  }
  void Propose(Payload, Instant, raft::ProposeCallback) override { CHECK(false); }
  void ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) override {
    CHECK(false);
  }
  void TransferLeadership(NodeId, Instant, raft::TransferCallback) override { CHECK(false); }

  raft::ReplicaStatus status;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_STATUS_ONLY_H_
