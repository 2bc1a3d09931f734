// What clients are told when the replica could not do what they asked.
//
// Two families of errors must not be mixed up, since all of them are UNAVAILABLE or
// RESOURCE_EXHAUSTED and only the text tells them apart. The command was certainly not applied, and
// may be sent again: `no leader`, `too many requests`, `server stopped`. The command may have been
// applied, or may be yet: `request timed out` and the longer forms of it.

#ifndef PONTOON_KV_OUTCOME_H_
#define PONTOON_KV_OUTCOME_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "raft/base/types.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// `leader` is whom the replica takes as leader now, when the outcome is known.
absl::Status ErrorOf(const raft::NotApplied& outcome);
absl::Status ErrorOf(const raft::OutcomeUnknown& outcome, NodeId leader);

// For an error of Replica::ReadBarrier. A read changes nothing, so clients may always send it
// again.
absl::Status ErrorOfRead(const absl::Status& error, NodeId leader);

// For an error of Replica::TransferLeadership.
absl::Status ErrorOfTransfer(const absl::Status& error);

grpc::Status ToGrpc(const absl::Status& status);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_OUTCOME_H_
