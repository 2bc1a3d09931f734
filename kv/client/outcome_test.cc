#include "kv/client/outcome.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "kv/errors.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon {
namespace {

grpc::Status StatusOf(const kv::ApiError& error) {
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), std::string(error.text));
}

TEST(Outcome, OfAWriteThatMayHaveBeenDoneIsUnknown) {
  for (const kv::ApiError& error :
       {kv::kErrTimeout, kv::kErrTimeoutDueToLeaderFail, kv::kErrTimeoutDueToConnectionLost,
        kv::kErrLeaderChanged, kv::kErrDeadlineExceeded, kv::kErrCanceled}) {
    EXPECT_EQ(OutcomeOf(StatusOf(error)), Outcome::kUnknown) << error.text;
  }
  EXPECT_EQ(OutcomeOf({grpc::StatusCode::UNAVAILABLE, "Socket closed"}), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf({grpc::StatusCode::UNAVAILABLE, ""}), Outcome::kUnknown);
  EXPECT_EQ(OutcomeOf({grpc::StatusCode::INTERNAL, "stream reset"}), Outcome::kUnknown);
}

TEST(Outcome, OfWhatWasTurnedAwayIsNotApplied) {
  for (const kv::ApiError& error :
       {kv::kErrNoLeader, kv::kErrStopped, kv::kErrUnhealthy, kv::kErrRequestTooManyRequests}) {
    EXPECT_EQ(OutcomeOf(StatusOf(error)), Outcome::kNotApplied) << error.text;
  }
  // etcd 3.4 says this with another code.
  EXPECT_EQ(OutcomeOf({grpc::StatusCode::UNAVAILABLE, "etcdserver: rpc not supported for learner"}),
            Outcome::kNotApplied);
}

TEST(Outcome, OfWhatIsWrongIsRefused) {
  for (const kv::ApiError& error :
       {kv::kErrEmptyKey, kv::kErrCompacted, kv::kErrNoSpace, kv::kErrLeaseNotFound, kv::kErrFenced,
        kv::kErrOnceReused, kv::kErrPermissionDenied, kv::kErrInvalidAuthToken}) {
    EXPECT_EQ(OutcomeOf(StatusOf(error)), Outcome::kRefused) << error.text;
  }
  EXPECT_EQ(OutcomeOf(grpc::Status::OK), Outcome::kDone);
}

// The words are gRPC's, which makes no promise about them.
TEST(Outcome, OfACallWithoutAConnectionIsNotApplied) {
  const auto channel =
      grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials());  // nobody is there
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  etcdserverpb::PutResponse response;
  const grpc::Status status = etcdserverpb::KV::NewStub(channel)->Put(&context, {}, &response);
  EXPECT_EQ(OutcomeOf(status), Outcome::kNotApplied) << status.error_message();
}

TEST(Outcome, IsNotedBesideCodeAndText) {
  const absl::Status error = kv::kErrTimeout;
  EXPECT_FALSE(IsOutcomeUnknown(error));
  const absl::Status noted = WithOutcomeUnknown(error);
  EXPECT_TRUE(IsOutcomeUnknown(noted));
  EXPECT_TRUE(kv::Is(noted, kv::kErrTimeout));
  EXPECT_FALSE(IsOutcomeUnknown(WithOutcomeUnknown(absl::OkStatus())));
}

TEST(Outcome, KeepsCodeAndText) {
  EXPECT_TRUE(kv::Is(ToAbsl(StatusOf(kv::kErrCompacted)), kv::kErrCompacted));
  EXPECT_TRUE(ToAbsl(grpc::Status::OK).ok());
}

}  // namespace
}  // namespace pontoon
