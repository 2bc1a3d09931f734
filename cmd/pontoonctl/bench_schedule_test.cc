#include "cmd/pontoonctl/bench_schedule.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

using Clock = BenchSchedule::Clock;
using std::chrono::milliseconds;

const Clock::time_point kStart = Clock::time_point() + std::chrono::hours(1);

TEST(BenchSchedule, HandsOutSoManyOperationsAndNoMore) {
  BenchSchedule schedule({.total = 3}, kStart);
  for (uint64_t i = 0; i < 3; ++i) {
    const auto operation = schedule.Next(kStart);
    ASSERT_TRUE(operation.has_value());
    EXPECT_EQ(operation->index, i);
    EXPECT_FALSE(operation->due.has_value());
  }
  EXPECT_FALSE(schedule.Next(kStart).has_value());
}

TEST(BenchSchedule, EndsAfterItsDuration) {
  BenchSchedule schedule({.duration = absl::Seconds(1)}, kStart);
  EXPECT_TRUE(schedule.Next(kStart + milliseconds(999)).has_value());
  EXPECT_FALSE(schedule.Next(kStart + milliseconds(1000)).has_value());
}

TEST(BenchSchedule, ARateSaysWhenEachIsDueHoweverLateItIsTaken) {
  BenchSchedule schedule({.rate_per_second = 1000}, kStart);
  EXPECT_EQ(schedule.Next(kStart)->due, kStart);
  EXPECT_EQ(schedule.Next(kStart + milliseconds(500))->due, kStart + milliseconds(1));
  EXPECT_EQ(schedule.Next(kStart + milliseconds(500))->due, kStart + milliseconds(2));
}

TEST(BenchSchedule, WhatWouldBeDueAfterTheEndIsNotHandedOut) {
  BenchSchedule schedule({.duration = absl::Milliseconds(2), .rate_per_second = 1000}, kStart);
  EXPECT_TRUE(schedule.Next(kStart).has_value());
  EXPECT_TRUE(schedule.Next(kStart).has_value());
  EXPECT_FALSE(schedule.Next(kStart).has_value());
}

}  // namespace
}  // namespace pontoon::ctl
