// A follower that was down for a long time comes back, has everything soon, and disturbs nobody.

#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

constexpr size_t kMissedWrites = 50'000;

TEST(CatchUpTest, FollowerThatMissedManyWritesHasThemAll) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int sleeper = (leader + 1) % cluster.size();
  const int witness = (leader + 2) % cluster.size();
  ASSERT_OK(cluster.client(sleeper).Put("before", "the stop"));
  ASSERT_OK(cluster.Stop(sleeper));

  UniqueWriters writers(&cluster, {.prefix = "missed/", .nodes = {leader, witness}});
  writers.Begin();
  ASSERT_TRUE(writers.WaitForAcknowledged(kMissedWrites, absl::Minutes(1)));
  writers.End();
  const auto status_before = cluster.client(leader).Status();
  ASSERT_OK(status_before);

  ASSERT_OK(cluster.Start(sleeper));
  ASSERT_OK(cluster.WaitForCatchUp(sleeper, absl::Minutes(1)));
  ASSERT_OK_AND_ASSIGN(const StoreState got,
                       ReadState(cluster.client(sleeper), "", ReadMode::kSerializable));
  ASSERT_OK_AND_ASSIGN(const StoreState want,
                       ReadState(cluster.client(leader), "", ReadMode::kLinearizable));
  EXPECT_EQ(DifferenceOf(want, got), "");
  StoreState missed = got;
  missed.keys.erase("before");
  EXPECT_EQ(writers.FaultIn(missed), "");

  ASSERT_OK_AND_ASSIGN(const int leader_after, cluster.WaitForLeader());
  EXPECT_EQ(leader_after, leader) << "the follower's return deposed the leader";
  EXPECT_EQ(cluster.client(leader).Status().response.raftterm(), status_before.response.raftterm());
}

}  // namespace
}  // namespace pontoon::testing
