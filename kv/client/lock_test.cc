// What a Lock does when the servers do not do as it wants; how locks and members live together is
// in tests/integration/client_library_test.cc.

#include "kv/client/lock.h"

#include <gtest/gtest.h>

#include <memory>

#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"

namespace pontoon {
namespace {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseRevokeResponse;

class LockTest : public ::testing::Test {
 protected:
  LockTest() {
    auto client = Client::Create({.endpoints = {member_.address()}, .discovers_members = false});
    EXPECT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void RefuseRevocations() {
    member_.Set([](FakeMember::Behaviour* behaviour) {
      behaviour->revoke = [](grpc::ServerContext*, const LeaseRevokeRequest&,
                             LeaseRevokeResponse*) {
        return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not yours");
      };
    });
  }

  FakeMember member_{1};
  std::unique_ptr<Client> client_;
};

TEST_F(LockTest, WhoeverReleasesHearsWhatBecameOfTheLease) {
  RefuseRevocations();
  Lock lock(client_.get(), {.name = "l"}, {});
  // The lease is not there yet, most likely.
  const absl::Status released = lock.Release();
  EXPECT_TRUE(absl::IsPermissionDenied(released)) << released;
  EXPECT_EQ(lock.Release(), released) << "also who comes later";
  EXPECT_EQ(member_.calls("LeaseGrant"), 1);
  EXPECT_EQ(member_.calls("LeaseRevoke"), 1);
}

TEST_F(LockTest, WithoutALeaseThereIsNothingToRelease) {
  member_.Set([](FakeMember::Behaviour* behaviour) {
    behaviour->grant = [](grpc::ServerContext*, const LeaseGrantRequest&, LeaseGrantResponse*) {
      return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "none for you");
    };
  });
  EventList<absl::Status> losses;
  Lock lock(client_.get(), {.name = "l"},
            {.on_lost = [&losses](const absl::Status& why) { losses.Add(why); }});
  ASSERT_EQ(losses.Await(1).size(), 1u);
  EXPECT_TRUE(absl::IsPermissionDenied(losses.Get()[0])) << losses.Get()[0];
  EXPECT_EQ(lock.Release(), absl::OkStatus());
  EXPECT_EQ(member_.calls("LeaseRevoke"), 0);
}

}  // namespace
}  // namespace pontoon
