#include "kv/outcome.h"

#include <string>

#include "kv/errors.h"

namespace pontoon::kv {

absl::Status ErrorOf(const raft::NotApplied& outcome) {
  switch (outcome.reason) {
    case raft::NotApplied::Reason::kNoLeader:
      return kErrNoLeader;
    case raft::NotApplied::Reason::kOverloaded:
      return kErrRequestTooManyRequests;
    case raft::NotApplied::Reason::kStopped:
      return kErrStopped;
  }
  return kErrStopped;
}

absl::Status ErrorOf(const raft::OutcomeUnknown& outcome, NodeId leader) {
  switch (outcome.reason) {
    case raft::OutcomeUnknown::Reason::kDeadline:
      return leader == kNoNode ? absl::Status(kErrTimeoutDueToLeaderFail)
                               : absl::Status(kErrTimeout);
    case raft::OutcomeUnknown::Reason::kStopped:
    case raft::OutcomeUnknown::Reason::kOvertaken:
      return kErrTimeoutDueToConnectionLost;
  }
  return kErrTimeout;
}

absl::Status ErrorOfRead(const absl::Status& error, NodeId leader) {
  if (absl::IsResourceExhausted(error)) return kErrRequestTooManyRequests;
  if (absl::IsUnavailable(error)) return kErrStopped;
  if (!absl::IsDeadlineExceeded(error)) return error;
  return leader == kNoNode ? absl::Status(kErrNoLeader) : absl::Status(kErrTimeout);
}

absl::Status ErrorOfTransfer(const absl::Status& error) {
  if (absl::IsFailedPrecondition(error)) return kErrNotLeader;
  if (absl::IsNotFound(error)) return kErrBadLeaderTransferee;
  if (absl::IsAborted(error)) return kErrLeaderChanged;
  if (absl::IsDeadlineExceeded(error)) return kErrTimeoutLeaderTransfer;
  return kErrStopped;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // The codes are the same numbers.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace pontoon::kv
