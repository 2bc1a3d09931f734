// What a member says of itself, how it gives the lead away, and what it does not offer.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "kv/errors.h"
#include "kv/service/testing/call_by_name.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/service_fixture.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test
using testing::ElementsAre;
using testing::IsEmpty;

// ---- its status

TEST_F(ServiceTest, StatusHasEverything) {
  ASSERT_TRUE(Put("key: 'k'").ok());
  replica_->SetTerm(Term{5});
  replica_->SetFollowers(
      {{.node = kPeer,
        .match = LogIndex{1},
        .last_contact_age = absl::Milliseconds(40),
        .lag_entries = 3,
        .lag_bytes = 900,
        .lag_age = absl::Milliseconds(1500),
        .gets_snapshot = true},
       {.node = NodeId{0xa3}, .match = LogIndex{0}, .last_contact_age = absl::InfiniteDuration()}});
  StatusResponse status;
  ASSERT_TRUE(maintenance_->Status(Call().get(), StatusRequest(), &status).ok());
  EXPECT_EQ(status.header().cluster_id(), kCluster.value());
  EXPECT_EQ(status.header().member_id(), kSelf.value());
  EXPECT_EQ(status.header().revision(), 2);
  EXPECT_EQ(status.header().raft_term(), 5u);
  EXPECT_EQ(status.version(), "3.7.0");
  EXPECT_EQ(status.pontoon_version(), "0.1.0");
  EXPECT_EQ(status.storageversion(), "3.7.0");
  EXPECT_GT(status.dbsize(), 0);
  EXPECT_GT(status.dbsizeinuse(), 0);
  EXPECT_EQ(status.leader(), kSelf.value());
  EXPECT_EQ(status.raftindex(), 1u);
  EXPECT_EQ(status.last_log_index(), 1u);
  EXPECT_EQ(status.raftappliedindex(), 1u);
  EXPECT_EQ(status.raftterm(), 5u);
  EXPECT_FALSE(status.islearner());
  EXPECT_EQ(status.role(), pontoon::v1::LEADER);
  EXPECT_EQ(status.log_bytes(), 4711);  // what others add
  EXPECT_TRUE(status.has_downgradeinfo());
  EXPECT_THAT(status.errors(), IsEmpty());
  ASSERT_EQ(status.followers_size(), 2);
  EXPECT_EQ(status.followers(0).member_id(), kPeer.value());
  EXPECT_EQ(status.followers(0).match_index(), 1u);
  EXPECT_EQ(status.followers(0).last_contact_age_ms(), 40);
  EXPECT_EQ(status.followers(0).lag_entries(), 3u);
  EXPECT_EQ(status.followers(0).lag_bytes(), 900u);
  EXPECT_EQ(status.followers(0).lag_age_ms(), 1500);
  EXPECT_TRUE(status.followers(0).gets_snapshot());
  EXPECT_EQ(status.followers(1).last_contact_age_ms(), -1);
}

TEST_F(ServiceTest, StatusIsGivenWithoutALeader) {
  replica_->SetLeader(kNoNode);
  StatusResponse status;
  ASSERT_TRUE(maintenance_->Status(Call().get(), StatusRequest(), &status).ok());
  EXPECT_EQ(status.leader(), 0u);
  EXPECT_THAT(status.errors(), ElementsAre("etcdserver: no leader"));
}

// ---- the lead

class MoveLeaderTest : public ServiceTest {
 protected:
  grpc::Status MoveLeader(NodeId target) {
    MoveLeaderRequest request;
    request.set_targetid(target.value());
    MoveLeaderResponse response;
    const grpc::Status status = maintenance_->MoveLeader(Call().get(), request, &response);
    EXPECT_FALSE(response.has_header());
    return status;
  }
};

TEST_F(MoveLeaderTest, TheLeaderIsMoved) {
  EXPECT_TRUE(MoveLeader(kSelf).ok()) << "nothing is to be done";
  EXPECT_EQ(replica_->Status().leader, kSelf);
  EXPECT_TRUE(MoveLeader(kPeer).ok());
  EXPECT_EQ(replica_->Status().leader, kPeer);
  EXPECT_TRUE(Failed(MoveLeader(kPeer), kErrNotLeader));
  EXPECT_TRUE(Failed(MoveLeader(NodeId{0xbad}), kErrNotLeader));
}

TEST_F(MoveLeaderTest, OnlyAVoterBecomesLeader) {
  Membership membership = SelfAndPeer();
  membership.voters = {kSelf};
  membership.learners = {kPeer};
  replica_->SetMembership(membership);
  for (const NodeId target : {kPeer, NodeId{0xbad}, kNoNode}) {
    EXPECT_TRUE(Failed(MoveLeader(target), kErrBadLeaderTransferee)) << target;
  }
  EXPECT_EQ(replica_->Status().leader, kSelf);
}

TEST_F(MoveLeaderTest, AMoveOfTheLeaderMayFail) {
  const std::pair<absl::Status, ApiError> cases[] = {
      {absl::FailedPreconditionError("x"), kErrNotLeader},
      {absl::NotFoundError("x"), kErrBadLeaderTransferee},
      {absl::AbortedError("x"), kErrLeaderChanged},
      {absl::DeadlineExceededError("x"), kErrTimeoutLeaderTransfer},
      {absl::UnavailableError("x"), kErrStopped}};
  for (const auto& [error, expected] : cases) {
    replica_->FailNextTransfer(error);
    EXPECT_TRUE(Failed(MoveLeader(kPeer), expected)) << error;
  }
}

// ---- what is not offered

testing::AssertionResult NotOffered(const grpc::Status& status, const std::string& call) {
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED &&
      status.error_message() == call + " is not offered by pontoon 0.1.0") {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "got " << status.error_code() << " \"" << status.error_message() << "\"";
}

TEST_F(ServiceTest, CallsOfOtherServicesAreNamed) {
  AuthEnableResponse auth;
  EXPECT_TRUE(
      NotOffered(Auth::NewStub(channel_)->AuthEnable(Call().get(), AuthEnableRequest(), &auth),
                 "Auth.AuthEnable"));
  EXPECT_TRUE(NotOffered(CallByName(channel_, "/v3lockpb.Lock/TryLock"), "Lock.TryLock"));
  EXPECT_TRUE(NotOffered(CallByName(channel_, "/etcdserverpb.KV/Increment"), "KV.Increment"));
  EXPECT_TRUE(NotOffered(CallByName(channel_, "/nonsense"), "nonsense"));
}

TEST_F(ServiceTest, AStreamOfAnotherServiceEndsAtOnce) {
  Call call;
  const auto stub = Watch::NewStub(channel_);
  const auto watch = stub->Watch(call.get());
  WatchResponse response;
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_TRUE(NotOffered(watch->Finish(), "Watch.Watch"));
}

}  // namespace
}  // namespace pontoon::kv
