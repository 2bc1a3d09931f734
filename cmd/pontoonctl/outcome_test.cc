#include "cmd/pontoonctl/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Outcome, OnlyWhatIsSurelyHarmlessIsNotUnknown) {
  const struct {
    grpc::Status status;
    Outcome outcome;
  } cases[] = {
      {grpc::Status::OK, Outcome::kDone},
      {{StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large"}, Outcome::kRefused},
      {{StatusCode::NOT_FOUND, "etcdserver: requested lease not found"}, Outcome::kRefused},
      {{StatusCode::RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"},
       Outcome::kRefused},
      {{StatusCode::UNIMPLEMENTED, ""}, Outcome::kRefused},
      {{StatusCode::UNAVAILABLE, "etcdserver: no leader"}, Outcome::kNotApplied},
      {{StatusCode::UNKNOWN, "etcdserver: too many requests"}, Outcome::kNotApplied},
      {{StatusCode::RESOURCE_EXHAUSTED, "etcdserver: too many requests"}, Outcome::kNotApplied},
      {{StatusCode::UNAVAILABLE, "etcdserver: unhealthy cluster"}, Outcome::kNotApplied},
      {{StatusCode::UNAVAILABLE, "etcdserver: leader changed"}, Outcome::kUnknown},
      {{StatusCode::UNAVAILABLE, "etcdserver: server stopped"}, Outcome::kUnknown},
      {{StatusCode::UNAVAILABLE, "Socket closed"}, Outcome::kUnknown},
      {{StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"}, Outcome::kUnknown},
      {{StatusCode::INTERNAL, ""}, Outcome::kUnknown},
      {{StatusCode::UNKNOWN, "?"}, Outcome::kUnknown},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(OutcomeOf(c.status), c.outcome) << c.status.error_message();
  }
}

Reply Failed(StatusCode code, const std::string& message) {
  const grpc::Status status(code, message);
  return {OutcomeOf(status), status, "a:2379"};
}

TEST(Ending, ARefusalIsTheServersTextAndTheCode) {
  const Ending ending =
      EndingOfWrite(Failed(StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large"));
  EXPECT_EQ(ending.code, ExitCode::kFailed);
  EXPECT_EQ(ending.message, "etcdserver: request is too large (INVALID_ARGUMENT)");
}

TEST(Ending, AWriteWithoutAnAnswerIsUnknownAReadIsNot) {
  const Reply lost = Failed(StatusCode::UNAVAILABLE, "Socket closed");
  EXPECT_EQ(EndingOfWrite(lost).code, ExitCode::kOutcomeUnknown);
  EXPECT_EQ(EndingOfWrite(lost).message,
            "outcome unknown: it may or may not have been applied: a:2379: Socket closed "
            "(UNAVAILABLE)");
  EXPECT_EQ(EndingOfRead(lost).code, ExitCode::kFailed);
  EXPECT_EQ(EndingOfRead(lost).message, "a:2379: Socket closed (UNAVAILABLE)");
}

TEST(Ending, ADeadlineSaysWhatToCheck) {
  const Ending ending = EndingOfWrite(Failed(StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"));
  EXPECT_EQ(ending.code, ExitCode::kOutcomeUnknown);
  EXPECT_THAT(ending.message, HasSubstr("no answer in time from a:2379: is there a leader?"));
  EXPECT_THAT(EndingOfRead(Failed(StatusCode::DEADLINE_EXCEEDED, "")).message,
              StartsWith("no answer in time"));
}

TEST(CodeName, KnowsTheFirstAndTheLast) {
  EXPECT_EQ(CodeName(StatusCode::OK), "OK");
  EXPECT_EQ(CodeName(StatusCode::ABORTED), "ABORTED");
  EXPECT_EQ(CodeName(StatusCode::UNAUTHENTICATED), "UNAUTHENTICATED");
  EXPECT_EQ(CodeName(static_cast<StatusCode>(99)), "code 99");
}

}  // namespace
}  // namespace pontoon::ctl
