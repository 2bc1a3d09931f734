#include "kv/outcome.h"

#include <gtest/gtest.h>

#include "kv/errors.h"

namespace pontoon::kv {
namespace {

using raft::NotApplied;
using raft::OutcomeUnknown;

constexpr NodeId kLeader{7};

TEST(Outcome, CertainlyNotApplied) {
  EXPECT_EQ(ErrorOf(NotApplied{NotApplied::Reason::kNoLeader}), kErrNoLeader);
  EXPECT_EQ(ErrorOf(NotApplied{NotApplied::Reason::kOverloaded}), kErrRequestTooManyRequests);
  EXPECT_EQ(ErrorOf(NotApplied{NotApplied::Reason::kStopped}), kErrStopped);
}

TEST(Outcome, PerhapsApplied) {
  const OutcomeUnknown deadline{OutcomeUnknown::Reason::kDeadline};
  EXPECT_EQ(ErrorOf(deadline, kLeader), kErrTimeout);
  EXPECT_EQ(ErrorOf(deadline, kNoNode), kErrTimeoutDueToLeaderFail);
  EXPECT_EQ(ErrorOf(OutcomeUnknown{OutcomeUnknown::Reason::kStopped}, kLeader),
            kErrTimeoutDueToConnectionLost);
}

TEST(Outcome, FailedReads) {
  EXPECT_EQ(ErrorOfRead(absl::DeadlineExceededError("x"), kNoNode), kErrNoLeader);
  EXPECT_EQ(ErrorOfRead(absl::DeadlineExceededError("x"), kLeader), kErrTimeout);
  EXPECT_EQ(ErrorOfRead(absl::UnavailableError("x"), kLeader), kErrStopped);
  EXPECT_EQ(ErrorOfRead(absl::ResourceExhaustedError("x"), kLeader), kErrRequestTooManyRequests);
}

TEST(Outcome, EveryApiErrorKeepsItsCodeAndText) {
  for (const ApiError& error : AllApiErrors()) {
    const grpc::Status status = ToGrpc(error);
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(error.code));
    EXPECT_EQ(status.error_message(), error.text);
  }
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace pontoon::kv
