#include "kv/client/lease_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;

class LeaseKeeperTest : public ::testing::Test {
 protected:
  using Renew = FakeMember::Unary<LeaseKeepAliveRequest, LeaseKeepAliveResponse>;

  // a leads.
  LeaseKeeperTest() {
    b_.Set([](FakeMember::Behaviour* behaviour) { behaviour->leader = 1; });
    auto client = Client::Create(
        {.endpoints = {a_.address(), b_.address()},
         .discovers_members = false,
         .backoff = {.first = absl::Milliseconds(1), .longest = absl::Milliseconds(10)}});
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    for (FakeMember* member : {&a_, &b_}) SetRenew(member, TtlIs(1));
  }

  static Renew TtlIs(int64_t seconds) {
    return [seconds](grpc::ServerContext*, const LeaseKeepAliveRequest&,
                     LeaseKeepAliveResponse* response) {
      response->set_ttl(seconds);
      return grpc::Status::OK;
    };
  }
  static Renew Hangs() {
    return [](grpc::ServerContext* context, const LeaseKeepAliveRequest&, LeaseKeepAliveResponse*) {
      AwaitCancellation(context);
      return grpc::Status::CANCELLED;
    };
  }
  static void SetRenew(FakeMember* member, Renew renew) {
    member->Set([&](FakeMember::Behaviour* behaviour) { behaviour->renew = std::move(renew); });
  }

  std::unique_ptr<LeaseKeeper> Grant(absl::Duration ttl = absl::Seconds(1)) {
    auto lease = LeaseKeeper::Grant(
        client_.get(),
        {.ttl = ttl, .on_lost = [this](const absl::Status& why) { losses_.Add(why); }});
    EXPECT_TRUE(lease.ok()) << lease.status();
    return *std::move(lease);
  }
  bool AwaitRenewals(int count) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline) {
      if (a_.calls("LeaseKeepAlive") + b_.calls("LeaseKeepAlive") >= count) return true;
      a_.AwaitCalls("LeaseKeepAlive", count, absl::Milliseconds(20));
    }
    return false;
  }

  EventList<absl::Status> losses_;
  FakeMember a_{1};
  FakeMember b_{2};
  std::unique_ptr<Client> client_;
};

TEST_F(LeaseKeeperTest, RoundsUpToWholeSeconds) {
  EventList<int64_t> ttls;
  for (FakeMember* member : {&a_, &b_}) {
    member->Set([&](FakeMember::Behaviour* behaviour) {
      behaviour->grant = [&](grpc::ServerContext*, const etcdserverpb::LeaseGrantRequest& request,
                             etcdserverpb::LeaseGrantResponse*) {
        ttls.Add(request.ttl());
        return grpc::Status::OK;
      };
    });
  }
  Grant(absl::Milliseconds(1200));
  EXPECT_EQ(ttls.Await(1), std::vector<int64_t>{2});
}

TEST_F(LeaseKeeperTest, RenewsForAsLongAsItIsThere) {
  const auto lease = Grant();
  EXPECT_EQ(lease->id(), 77);
  EXPECT_TRUE(AwaitRenewals(6)) << "for twice the time of the lease";
  EXPECT_TRUE(lease->IsAlive());
  EXPECT_TRUE(losses_.Get().empty());
}

TEST_F(LeaseKeeperTest, RenewsElsewhereWhereOneHangs) {
  SetRenew(&a_, Hangs());
  const auto lease = Grant();
  ASSERT_TRUE(b_.AwaitCalls("LeaseKeepAlive", 5, kPatience));
  EXPECT_GE(a_.calls("LeaseKeepAlive"), 1) << "it was asked too, and did not answer";
  EXPECT_TRUE(lease->IsAlive());
  EXPECT_TRUE(losses_.Get().empty());
}

TEST_F(LeaseKeeperTest, RenewsAgainAfterARefusal) {
  std::atomic<int> renewals = 0;
  const Renew refused_at_first = [&](grpc::ServerContext* context,
                                     const LeaseKeepAliveRequest& request,
                                     LeaseKeepAliveResponse* response) {
    if (renewals++ == 0) return ErrorStatus(kv::kErrPermissionDenied);
    return TtlIs(1)(context, request, response);
  };
  for (FakeMember* member : {&a_, &b_}) SetRenew(member, refused_at_first);
  const auto lease = Grant();
  EXPECT_TRUE(AwaitRenewals(4));
  EXPECT_TRUE(lease->IsAlive());
  EXPECT_TRUE(losses_.Get().empty());
}

TEST_F(LeaseKeeperTest, IsLostWhenAServerSaysSo) {
  const auto lease = Grant(absl::Seconds(9));  // renewed after three seconds
  for (FakeMember* member : {&a_, &b_}) SetRenew(member, TtlIs(0));
  ASSERT_EQ(losses_.Await(1).size(), 1u);
  EXPECT_TRUE(absl::IsNotFound(losses_.Get()[0])) << losses_.Get()[0];
  EXPECT_FALSE(lease->IsAlive());
}

TEST_F(LeaseKeeperTest, IsLostWhenNobodyRenewsItInTime) {
  for (FakeMember* member : {&a_, &b_}) SetRenew(member, Hangs());
  const absl::Time before = absl::Now();
  const auto lease = Grant();
  EXPECT_TRUE(lease->IsAlive());
  ASSERT_EQ(losses_.Await(1).size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(losses_.Get()[0])) << losses_.Get()[0];
  EXPECT_GE(absl::Now() - before, absl::Seconds(1));
  EXPECT_FALSE(lease->IsAlive());
}

TEST_F(LeaseKeeperTest, CountsFromWhenTheRenewalWasSent) {
  // The first answer gives a second, and is longer under way than that: from when it was sent the
  // lease is over when it comes. From when it came there would be time for the next renewal, and
  // the lease would live.
  std::atomic<int> renewals = 0;
  const Renew late = [&](grpc::ServerContext*, const LeaseKeepAliveRequest&,
                         LeaseKeepAliveResponse* response) {
    const bool first = renewals++ == 0;
    if (first) absl::SleepFor(absl::Milliseconds(1100));  // the delay that is looked at, not a wait
    response->set_ttl(first ? 1 : 3600);
    return grpc::Status::OK;
  };
  for (FakeMember* member : {&a_, &b_}) SetRenew(member, late);
  const auto lease = Grant(absl::Seconds(12));  // so that an attempt may take two seconds
  EXPECT_EQ(losses_.Await(1).size(), 1u);
  EXPECT_EQ(renewals, 1);
}

TEST_F(LeaseKeeperTest, IsQuietOnceItIsGone) {
  auto lease = Grant();
  lease.reset();
  for (FakeMember* member : {&a_, &b_}) SetRenew(member, TtlIs(0));
  const auto other = Grant();  // hears of it
  EXPECT_EQ(losses_.Await(1).size(), 1u);
  client_.reset();
  EXPECT_EQ(losses_.Get().size(), 1u);
}

TEST_F(LeaseKeeperTest, WaitsForTheCallbackThatRunsWhenItGoes) {
  for (FakeMember* member : {&a_, &b_}) SetRenew(member, TtlIs(0));
  absl::Notification called;
  absl::Notification gone;
  auto lease = LeaseKeeper::Grant(
      client_.get(), {.ttl = absl::Seconds(1), .on_lost = [&](const absl::Status&) {
                        called.Notify();
                        // So long would be enough to go without waiting.
                        EXPECT_FALSE(gone.WaitForNotificationWithTimeout(absl::Milliseconds(100)));
                      }});
  ASSERT_TRUE(lease.ok()) << lease.status();
  ASSERT_TRUE(called.WaitForNotificationWithTimeout(kPatience));
  lease->reset();
  gone.Notify();
}

TEST_F(LeaseKeeperTest, WhatItsUserBeginsAtTheEndOfTheClientEndsToo) {
  // The client has nothing under way but the lease.
  for (const FakeMember* member : {&a_, &b_}) {
    ASSERT_TRUE(member->AwaitCalls("Status", 1, kPatience));
  }
  Client* const client = client_.get();  // good until the destructor has returned
  EventList<absl::Status> ends;
  const auto lease = LeaseKeeper::Grant(
      client, {.ttl = absl::Seconds(60), .on_lost = [&](const absl::Status&) {
                 client->PutAsync(PutRequest(), {}, [&](const absl::StatusOr<PutResponse>& put) {
                   ends.Add(put.status());
                 });
               }});
  ASSERT_TRUE(lease.ok()) << lease.status();
  client_.reset();
  ASSERT_EQ(ends.Get().size(), 1u) << "it is told before the destructor returns";
  EXPECT_TRUE(absl::IsCancelled(ends.Get()[0])) << ends.Get()[0];
}

TEST_F(LeaseKeeperTest, EndsWithTheClient) {
  const auto lease = Grant(absl::Seconds(60));
  client_.reset();
  ASSERT_EQ(losses_.Get().size(), 1u);
  EXPECT_TRUE(absl::IsCancelled(losses_.Get()[0])) << losses_.Get()[0];
  EXPECT_FALSE(lease->IsAlive());
}

}  // namespace
}  // namespace pontoon
