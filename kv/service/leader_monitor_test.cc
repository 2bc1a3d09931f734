#include "kv/service/leader_monitor.h"

#include <gtest/gtest.h>

#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);

class LeaderMonitorTest : public testing::Test {
 protected:
  LeaderMonitor::Id Add(int* losses) {
    return monitor_.Add([losses] { ++*losses; });
  }
  void Look(int times) { executor_.RunFor(times * kInterval); }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  bool has_leader_ = true;
  int looks_ = 0;
  LeaderMonitor monitor_{[this] {
                           ++looks_;
                           return has_leader_;
                         },
                         &clock_, &executor_, kInterval};
};

TEST_F(LeaderMonitorTest, ThreeLooksInARowWithoutALeaderEndAStreamOnce) {
  int losses = 0;
  Add(&losses);
  has_leader_ = false;
  Look(2);
  has_leader_ = true;  // in time
  Look(1);
  has_leader_ = false;
  Look(2);
  EXPECT_EQ(losses, 0);
  Look(1);
  EXPECT_EQ(losses, 1);
  Look(5);
  EXPECT_EQ(losses, 1);
}

TEST_F(LeaderMonitorTest, AStreamThatHasEndedHearsNothing) {
  int kept = 0, ended = 0;
  Add(&kept);
  monitor_.Remove(Add(&ended));
  monitor_.Remove(LeaderMonitor::kNone);
  has_leader_ = false;
  Look(3);
  EXPECT_EQ(kept, 1);
  EXPECT_EQ(ended, 0);
}

TEST_F(LeaderMonitorTest, NobodyLooksWhileNobodyAsks) {
  Look(3);
  EXPECT_EQ(looks_, 0);
  int losses = 0;
  const LeaderMonitor::Id first = Add(&losses);
  Add(&losses);
  Look(3);
  EXPECT_EQ(looks_, 3) << "one for all";
  has_leader_ = false;
  Look(2);
  monitor_.Remove(first);
  Look(1);
  EXPECT_EQ(looks_, 6);
  EXPECT_EQ(losses, 1);
  Look(3);
  EXPECT_EQ(looks_, 6);
}

// Whatever was seen before.
TEST_F(LeaderMonitorTest, ANewStreamHasItsThreeLooks) {
  int losses = 0;
  const LeaderMonitor::Id first = Add(&losses);
  has_leader_ = false;
  Look(1);
  monitor_.Remove(first);
  Look(1);
  Add(&losses);
  Look(2);
  EXPECT_EQ(losses, 0);
  Look(1);
  EXPECT_EQ(losses, 1);
}

// A stream may end, and be the last to go, from within.
TEST_F(LeaderMonitorTest, AStreamMayRemoveItselfWhenItHears) {
  int losses = 0;
  LeaderMonitor::Id id = LeaderMonitor::kNone;
  id = monitor_.Add([&] {
    ++losses;
    monitor_.Remove(id);
    Add(&losses);
  });
  has_leader_ = false;
  Look(3);
  EXPECT_EQ(losses, 1);
  Look(3);
  EXPECT_EQ(losses, 2) << "the one that came meanwhile";
}

}  // namespace
}  // namespace pontoon::kv
