#include "cmd/pontoonctl/activity.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace pontoon::ctl {
namespace {

using etcdserverpb::StatusResponse;
using pontoon::v1::DurationCounts;

DurationCounts Counts(std::initializer_list<uint64_t> counts) {
  DurationCounts durations;
  for (const uint64_t count : counts) durations.add_counts(count);
  return durations;
}

StatusResponse Status(uint64_t requests, uint64_t failed, uint64_t writes) {
  StatusResponse status;
  status.mutable_activity()->set_requests(requests);
  status.mutable_activity()->set_requests_failed(failed);
  status.mutable_activity()->set_writes_applied(writes);
  return status;
}

TEST(QuantileBetween, IsInterpolatedBetweenTheBounds) {
  const DurationCounts counts = Counts({0, 10, 10, 0, 0});  // up to 125, 250, 500, 1000 us, beyond
  EXPECT_EQ(QuantileBetween({}, counts, 0.5), absl::Microseconds(250));
  EXPECT_EQ(QuantileBetween({}, counts, 0.25), absl::Nanoseconds(187'500));
  EXPECT_EQ(QuantileBetween({}, counts, 1), absl::Microseconds(500));
}

TEST(QuantileBetween, OnlyWhatIsNewCounts) {
  const DurationCounts before = Counts({100, 0, 0});
  EXPECT_EQ(QuantileBetween(before, Counts({100, 4, 0}), 1), absl::Microseconds(250));
  EXPECT_EQ(QuantileBetween(before, before, 0.5), std::nullopt);
  EXPECT_EQ(QuantileBetween({}, {}, 0.5), std::nullopt);
}

TEST(QuantileBetween, BeyondAllBoundsIsTheLastOfThem) {
  EXPECT_EQ(QuantileBetween({}, Counts({0, 0, 7}), 0.99), absl::Microseconds(250));
}

TEST(ActivityBetween, CountsASecond) {
  StatusResponse after = Status(500, 20, 100);
  *after.mutable_activity()->mutable_request_durations() = Counts({1, 0});
  const auto activity = ActivityBetween(Status(100, 0, 20), after, absl::Seconds(2));
  ASSERT_TRUE(activity.has_value());
  EXPECT_EQ(activity->requests, 200);
  EXPECT_EQ(activity->failures, 10);
  EXPECT_EQ(activity->writes, 40);
  EXPECT_EQ(activity->request_p99, absl::Nanoseconds(123'750));
  EXPECT_EQ(activity->log_write_p99, std::nullopt);
}

TEST(ActivityBetween, IsNotKnownOfAMemberThatStartedAnewOrTellsNothing) {
  EXPECT_FALSE(ActivityBetween(Status(100, 0, 20), Status(5, 0, 1), absl::Seconds(1)));
  EXPECT_FALSE(ActivityBetween(Status(1, 0, 1), Status(2, 0, 2), absl::ZeroDuration()));
  EXPECT_FALSE(ActivityBetween({}, Status(2, 0, 2), absl::Seconds(1)));
  EXPECT_FALSE(ActivityBetween(Status(2, 0, 2), {}, absl::Seconds(1)));
}

}  // namespace
}  // namespace pontoon::ctl
