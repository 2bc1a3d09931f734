#include "cmd/pontoonctl/success_gaps.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

using std::chrono::milliseconds;

const SuccessGaps::TimePoint kStart = SuccessGaps::TimePoint() + std::chrono::hours(1);

TEST(SuccessGaps, TheLongestCounts) {
  SuccessGaps gaps(kStart);
  for (const int at : {5, 6, 306, 307, 400}) gaps.OnSuccess(kStart + milliseconds(at));
  EXPECT_EQ(gaps.Longest(kStart + milliseconds(401)), absl::Milliseconds(300));
}

TEST(SuccessGaps, TheTimeBeforeTheFirstSuccessIsOne) {
  SuccessGaps gaps(kStart);
  gaps.OnSuccess(kStart + milliseconds(40));
  gaps.OnSuccess(kStart + milliseconds(39));  // of another thread, a little late
  EXPECT_EQ(gaps.Longest(kStart + milliseconds(41)), absl::Milliseconds(40));
}

// Those who gave up before the cluster was back have seen no shorter outage than others.
TEST(SuccessGaps, TheTimeAfterTheLastSuccessIsOne) {
  SuccessGaps gaps(kStart);
  EXPECT_EQ(gaps.Longest(kStart + milliseconds(10)), absl::Milliseconds(10)) << "nothing succeeded";
  for (const int at : {5, 25}) gaps.OnSuccess(kStart + milliseconds(at));
  EXPECT_EQ(gaps.Longest(kStart + milliseconds(60)), absl::Milliseconds(35));
}

TEST(SuccessGaps, WhatComesAfterTheEndDoesNotCount) {
  SuccessGaps gaps(kStart, kStart + milliseconds(100));
  for (const int at : {40, 90, 500, 900}) gaps.OnSuccess(kStart + milliseconds(at));
  EXPECT_EQ(gaps.Longest(kStart + milliseconds(999)), absl::Milliseconds(50));
  SuccessGaps silent(kStart, kStart + milliseconds(100));
  EXPECT_EQ(silent.Longest(kStart + milliseconds(999)), absl::Milliseconds(100));
}

}  // namespace
}  // namespace pontoon::ctl
