// A follower that was down for a long time comes back, has everything soon, and disturbs nobody.

#include <algorithm>
#include <filesystem>
#include <utility>

#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

// Together more than a leader keeps in memory, and more than a segment of its log: most of it has
// to be read from the disk again.
constexpr size_t kMissedWrites = 50'000;
constexpr size_t kValueBytes = 2 << 10;

int SegmentsOf(const Cluster& cluster, int node) {
  const std::filesystem::directory_iterator files(cluster.data_folder(node) / "log");
  return std::count_if(begin(files), end(files),
                       [](const auto& file) { return file.path().extension() == ".log"; });
}

// Whether the state began as a snapshot of another node: see state_folder.h.
bool BeganAsSnapshot(const Cluster& cluster, int node) {
  const std::filesystem::path folder = cluster.data_folder(node) / "state";
  return !std::filesystem::exists(folder / "0000000000000000");
}

// Stops a follower, writes kMissedWrites and starts it again; then it must have them.
void MissAndCatchUp(Flags flags, bool by_snapshot) {
  Cluster cluster({.extra_flags = std::move(flags)});
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int sleeper = (leader + 1) % cluster.size();
  const int witness = (leader + 2) % cluster.size();
  ASSERT_OK(cluster.client(sleeper).Put("before", "the stop"));
  ASSERT_OK(cluster.Stop(sleeper));

  UniqueWriters writers(
      &cluster, {.prefix = "missed/", .nodes = {leader, witness}, .value_bytes_min = kValueBytes});
  writers.Begin();
  ASSERT_TRUE(writers.WaitForAcknowledged(kMissedWrites, absl::Minutes(2)));
  writers.End();
  ASSERT_EQ(SegmentsOf(cluster, leader), by_snapshot ? 1 : 2);
  const auto status_before = cluster.client(leader).Status();
  ASSERT_OK(status_before);

  ASSERT_OK(cluster.Start(sleeper));
  ASSERT_OK(cluster.WaitForCatchUp(sleeper, absl::Minutes(1)));
  EXPECT_EQ(BeganAsSnapshot(cluster, sleeper), by_snapshot);
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

TEST(CatchUpTest, FollowerThatMissedManyWritesReadsThemFromTheLog) {
  MissAndCatchUp({}, /*by_snapshot=*/false);
}

// The entries that it lacks are gone from the log when it comes back.
TEST(CatchUpTest, FollowerBehindTheLogGetsASnapshot) {
  MissAndCatchUp({{"snapshot-count", "5000"},
                  {"snapshot-catchup-entries", "1000"},
                  {"log-retention-bytes", "0"}},
                 /*by_snapshot=*/true);
}

}  // namespace
}  // namespace pontoon::testing
