// Leases of a cluster: any node keeps them alive, they end on all nodes, and neither the death of
// the leader nor that of all nodes ends one before its time. And what is built on them: locks.

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/rpc.grpc.pb.h"
#include "proto/v3lock.grpc.pb.h"
#include "tests/integration/calls.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::Lease;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::LeaseLeasesResponse;
using etcdserverpb::LeaseTimeToLiveResponse;

class LeasesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK_AND_ASSIGN(leader_, cluster_.WaitForLeader());
  }

  std::unique_ptr<Lease::Stub> At(int node) {
    return Lease::NewStub(cluster_.client(node).channel());
  }
  int follower() const { return (leader_ + 1) % cluster_.size(); }

  // Grants a lease, and puts a key on it, with its id as name.
  void Grant(int node, int64_t id, int64_t ttl_seconds) {
    etcdserverpb::LeaseGrantRequest request;
    request.set_id(id);
    request.set_ttl(ttl_seconds);
    Answer<LeaseGrantResponse> granted;
    granted.status = At(node)->LeaseGrant(CallContext().get(), request, &granted.response);
    ASSERT_OK(granted);
    ASSERT_EQ(granted.response.ttl(), ttl_seconds);
    etcdserverpb::PutRequest put;
    put.set_key(absl::StrCat(id));
    put.set_lease(id);
    ASSERT_OK(cluster_.client(node).Put(put));
  }
  // The TTL that is answered; the code of an error, negative.
  int64_t Renew(int node, int64_t id) {
    CallContext context;
    const auto stub = At(node);
    const auto stream = stub->LeaseKeepAlive(context.get());
    etcdserverpb::LeaseKeepAliveRequest request;
    request.set_id(id);
    stream->Write(request);
    stream->WritesDone();
    LeaseKeepAliveResponse response;
    if (stream->Read(&response)) return response.ttl();
    return -static_cast<int64_t>(stream->Finish().error_code());
  }
  LeaseTimeToLiveResponse TimeToLive(int node, int64_t id) {
    etcdserverpb::LeaseTimeToLiveRequest request;
    request.set_id(id);
    request.set_keys(true);
    Answer<LeaseTimeToLiveResponse> answer;
    answer.status = At(node)->LeaseTimeToLive(CallContext().get(), request, &answer.response);
    EXPECT_OK(answer);
    return answer.response;
  }
  bool Exists(int node, int64_t id) {
    const auto answer = cluster_.client(node).Get(absl::StrCat(id));
    EXPECT_OK(answer);
    return answer.response.kvs_size() == 1;
  }

  Cluster cluster_;
  int leader_ = -1;
};

TEST_F(LeasesTest, EveryNodeKeepsThemAlive) {
  Grant(follower(), 1, 3);
  const absl::Time end = absl::Now() + absl::Seconds(7);  // more than two lives
  absl::Time renewed;
  do {
    renewed = absl::Now();
    for (const int node : cluster_.AllNodes()) ASSERT_EQ(Renew(node, 1), 3);
    ASSERT_TRUE(Exists(follower(), 1));
  } while (absl::Now() < end);

  ASSERT_TRUE(Eventually([&] { return !Exists(follower(), 1); }));
  EXPECT_GE(absl::Now() - renewed, absl::Seconds(3));
  for (const int node : cluster_.AllNodes()) {
    EXPECT_FALSE(Exists(node, 1));
    EXPECT_EQ(Renew(node, 1), 0);
    EXPECT_EQ(TimeToLive(node, 1).ttl(), -1);
  }
}

TEST_F(LeasesTest, EveryNodeTellsTheSame) {
  Grant(leader_, 1, 600);
  for (const int node : cluster_.AllNodes()) {
    const LeaseTimeToLiveResponse response = TimeToLive(node, 1);
    EXPECT_EQ(response.grantedttl(), 600);
    EXPECT_GE(response.ttl(), 500);
    EXPECT_LE(response.ttl(), 601) << "if another one leads meanwhile, an election timeout more";
    ASSERT_EQ(response.keys_size(), 1);
    EXPECT_EQ(response.keys(0), "1");
    LeaseLeasesResponse list;
    ASSERT_TRUE(
        At(node)->LeaseLeases(CallContext().get(), etcdserverpb::LeaseLeasesRequest(), &list).ok());
    EXPECT_EQ(list.leases_size(), 1);
  }
}

TEST_F(LeasesTest, TheDeathOfTheLeaderEndsNoneBeforeItsTime) {
  constexpr int64_t kTtlSeconds = 5;
  Grant(follower(), 1, kTtlSeconds);
  const absl::Time renewed = absl::Now();
  ASSERT_EQ(Renew(follower(), 1), kTtlSeconds);
  const int asked = follower();
  cluster_.Kill(leader_);
  const int64_t left = TimeToLive(asked, 1).ttl();  // waits for the next leader
  EXPECT_GE(left, 1);
  EXPECT_LE(left, kTtlSeconds + 1);
  ASSERT_TRUE(Eventually([&] { return !Exists(asked, 1); }));
  EXPECT_GE(absl::Now() - renewed, absl::Seconds(kTtlSeconds));
}

TEST_F(LeasesTest, TheDeathOfAllEndsNoneBeforeItsTime) {
  constexpr int64_t kTtlSeconds = 4;
  Grant(follower(), 1, kTtlSeconds);
  Grant(follower(), 2, 600);
  cluster_.KillAll();
  ASSERT_OK(cluster_.StartAll());
  const absl::Time started = absl::Now();
  EXPECT_EQ(TimeToLive(0, 1).grantedttl(), kTtlSeconds);
  const int64_t left = TimeToLive(0, 2).ttl();
  EXPECT_GE(left, 500);
  EXPECT_LE(left, 601);
  ASSERT_EQ(Renew(1, 1), kTtlSeconds);
  ASSERT_TRUE(Eventually([&] { return !Exists(2, 1); }));
  EXPECT_GE(absl::Now() - started, absl::Seconds(kTtlSeconds));
  EXPECT_TRUE(Exists(2, 2));
}

TEST_F(LeasesTest, ALockIsHandedOnAcrossNodes) {
  using v3lockpb::Lock;
  const auto lock_at = [this](int node, int64_t lease, v3lockpb::LockResponse* response) {
    v3lockpb::LockRequest request;
    request.set_name("lock");
    request.set_lease(lease);
    return Lock::NewStub(cluster_.client(node).channel())
        ->Lock(CallContext().get(), request, response);
  };
  Grant(0, 0xa, 600);
  Grant(0, 0xb, 600);
  v3lockpb::LockResponse first, second;
  ASSERT_TRUE(lock_at(0, 0xa, &first).ok());
  EXPECT_EQ(first.key(), "lock/a");
  grpc::Status second_status;
  std::thread waiter([&] { second_status = lock_at(1, 0xb, &second); });
  EXPECT_TRUE(
      Eventually([this] { return cluster_.client(2).Get("lock/b").response.kvs_size() == 1; }));
  v3lockpb::UnlockRequest unlock;
  unlock.set_key(first.key());
  v3lockpb::UnlockResponse unlocked;
  EXPECT_TRUE(Lock::NewStub(cluster_.client(2).channel())
                  ->Unlock(CallContext().get(), unlock, &unlocked)
                  .ok());
  waiter.join();
  EXPECT_TRUE(second_status.ok()) << second_status.error_message();
  EXPECT_EQ(second.key(), "lock/b");
}

}  // namespace
}  // namespace pontoon::testing
