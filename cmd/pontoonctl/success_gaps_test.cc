#include "cmd/pontoonctl/success_gaps.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

using std::chrono::milliseconds;

const SuccessGaps::TimePoint kStart = SuccessGaps::TimePoint() + std::chrono::hours(1);

TEST(SuccessGaps, TheLongestCounts) {
  SuccessGaps gaps(kStart);
  EXPECT_EQ(gaps.Longest(), absl::ZeroDuration());
  for (const int at : {5, 6, 306, 307, 400}) gaps.OnSuccess(kStart + milliseconds(at));
  EXPECT_EQ(gaps.Longest(), absl::Milliseconds(300));
}

TEST(SuccessGaps, TheTimeBeforeTheFirstSuccessIsOne) {
  SuccessGaps gaps(kStart);
  gaps.OnSuccess(kStart + milliseconds(40));
  gaps.OnSuccess(kStart + milliseconds(39));  // of another thread, a little late
  EXPECT_EQ(gaps.Longest(), absl::Milliseconds(40));
}

}  // namespace
}  // namespace pontoon::ctl
