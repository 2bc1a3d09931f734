#include "raft/core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

using ::testing::HasSubstr;

CoreOptions Valid() {
  CoreOptions options;
  options.self = NodeId(1);
  return options;
}

TEST(CoreOptions, TheDefaultsNeedOnlyANodeId) {
  EXPECT_TRUE(Valid().Validate().ok());
  EXPECT_THAT(CoreOptions().Validate().message(), HasSubstr("node id"));
}

TEST(CoreOptions, TheElectionTimeoutIsAtLeastTwoHeartbeats) {
  CoreOptions options = Valid();
  options.heartbeat_interval = absl::Milliseconds(50);
  options.election_timeout = absl::Milliseconds(100);
  EXPECT_TRUE(options.Validate().ok());
  options.election_timeout = absl::Milliseconds(99);
  EXPECT_THAT(options.Validate().message(),
              HasSubstr("the election timeout (99ms) must be at least twice the heartbeat interval "
                        "(50ms)"));
  options.heartbeat_interval = absl::ZeroDuration();
  EXPECT_THAT(options.Validate().message(), HasSubstr("heartbeat interval"));
  options.heartbeat_interval = -absl::Milliseconds(1);
  EXPECT_FALSE(options.Validate().ok());
}

TEST(CoreOptions, TheLeaseLiesBetweenHeartbeatAndElection) {
  CoreOptions options = Valid();
  options.heartbeat_interval = absl::Milliseconds(100);
  options.election_timeout = absl::Milliseconds(500);
  options.clock_rate_error_max = 0.1;
  options.lease_duration = absl::Milliseconds(405);
  EXPECT_GT(options.VotePromise(), absl::Milliseconds(494));
  EXPECT_LT(options.VotePromise(), absl::Milliseconds(496));
  EXPECT_TRUE(options.Validate().ok());
  options.lease_duration = absl::Milliseconds(410);  // 501 on a clock that is off
  EXPECT_THAT(options.Validate().message(), HasSubstr("no longer than the election timeout"));
  options.lease_duration = absl::Milliseconds(100);
  EXPECT_THAT(options.Validate().message(), HasSubstr("longer than the heartbeat interval"));
  options.lease_duration = -absl::Milliseconds(1);
  EXPECT_FALSE(options.Validate().ok());
  options.lease_duration = absl::ZeroDuration();
  EXPECT_TRUE(options.Validate().ok());
  options.clock_rate_error_max = 0.5;
  EXPECT_FALSE(options.Validate().ok());
}

TEST(CoreOptions, TheDelayOfAHandOverDoesNotShrink) {
  CoreOptions options = Valid();
  options.hand_over_delay_growth_max = 1;
  EXPECT_TRUE(options.Validate().ok());
  options.hand_over_delay_growth_max = 0;
  EXPECT_FALSE(options.Validate().ok());
}

TEST(CoreOptions, TheBoundsOnAppendsArePositive) {
  CoreOptions options = Valid();
  options.inflight_messages_max = 0;
  EXPECT_FALSE(options.Validate().ok());
  options = Valid();
  options.append_bytes_max = 0;
  EXPECT_FALSE(options.Validate().ok());
}

}  // namespace
}  // namespace pontoon::raft
