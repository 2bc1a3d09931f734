#include "raft/node/log_timeline.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

constexpr Instant kStart = Instant::FromNanos(1'000'000'000);
constexpr absl::Duration kSecond = absl::Seconds(1);

class LogTimelineTest : public ::testing::Test {
 protected:
  void Append(uint64_t last, uint64_t bytes) { timeline_.Append(LogIndex(last), bytes, now_); }
  std::optional<LogTimeline::Backlog> After(uint64_t match) {
    return timeline_.After(LogIndex(match));
  }
  absl::Duration AgeAfter(uint64_t match) { return now_ - After(match)->since; }

  Instant now_ = kStart;
  LogTimeline timeline_{LogIndex(100), kStart};
};

TEST_F(LogTimelineTest, NothingFollowsTheEnd) {
  EXPECT_FALSE(After(100));
  Append(101, 10);
  EXPECT_FALSE(After(101));
  EXPECT_FALSE(After(200));
}

TEST_F(LogTimelineTest, TheOldestMissingEntryCounts) {
  Append(101, 10);
  now_ = now_ + kSecond;
  Append(103, 40);
  now_ = now_ + kSecond;
  EXPECT_EQ(AgeAfter(100), 2 * kSecond);
  EXPECT_EQ(AgeAfter(101), kSecond);
  EXPECT_EQ(AgeAfter(102), kSecond);
  EXPECT_EQ(After(100)->bytes, 50u);
  EXPECT_EQ(After(101)->bytes, 40u);
  EXPECT_EQ(After(102)->bytes, 20u);  // half of a stretch
  EXPECT_EQ(After(100)->entries_unknown, 0u);
}

TEST_F(LogTimelineTest, EntriesFromBeforeAreAtLeastAsOldAsTheTimeline) {
  now_ = now_ + kSecond;
  EXPECT_EQ(AgeAfter(97), kSecond);
  EXPECT_EQ(After(97)->entries_unknown, 3u);
  EXPECT_EQ(After(97)->bytes, 0u);
  Append(101, 10);
  EXPECT_EQ(After(97)->bytes, 10u);
}

TEST_F(LogTimelineTest, WhatComesCloselyTogetherSharesTheEarlierTime) {
  Append(101, 10);
  now_ = now_ + LogTimeline::kResolution - absl::Nanoseconds(1);
  Append(102, 10);
  EXPECT_EQ(timeline_.stretches(), 1u);
  now_ = now_ + absl::Nanoseconds(1);
  Append(103, 10);
  EXPECT_EQ(timeline_.stretches(), 2u);
  EXPECT_EQ(AgeAfter(101), LogTimeline::kResolution);
  EXPECT_EQ(AgeAfter(102), absl::ZeroDuration());
}

TEST_F(LogTimelineTest, ATruncationTakesBackTheEnd) {
  Append(104, 40);
  now_ = now_ + kSecond;
  Append(105, 1000);
  timeline_.CutAfter(LogIndex(102));
  EXPECT_FALSE(After(102));
  EXPECT_EQ(After(100)->bytes, 20u);
  now_ = now_ + kSecond;
  Append(103, 7);
  EXPECT_EQ(AgeAfter(102), absl::ZeroDuration());
  EXPECT_EQ(After(101)->bytes, 17u);
}

TEST_F(LogTimelineTest, ATruncationMayGoBeyondWhatIsKnown) {
  Append(104, 40);
  timeline_.CutAfter(LogIndex(90));
  EXPECT_FALSE(After(90));
  Append(91, 5);
  EXPECT_EQ(After(90)->bytes, 5u);
  EXPECT_EQ(After(89)->entries_unknown, 1u);
}

TEST_F(LogTimelineTest, AResetBeginsAnew) {
  Append(104, 40);
  now_ = now_ + kSecond;
  timeline_.Reset(LogIndex(500), now_);
  EXPECT_FALSE(After(500));
  EXPECT_EQ(AgeAfter(499), absl::ZeroDuration());
  Append(501, 3);
  EXPECT_EQ(After(500)->bytes, 3u);
}

TEST_F(LogTimelineTest, WhatIsForgottenCountsAsUnknown) {
  Append(101, 10);
  now_ = now_ + kSecond;
  Append(102, 10);
  timeline_.Forget(LogIndex(101));
  EXPECT_EQ(timeline_.stretches(), 1u);
  EXPECT_EQ(After(100)->entries_unknown, 1u);
  EXPECT_EQ(AgeAfter(100), kSecond);
  EXPECT_EQ(After(101)->bytes, 10u);
}

TEST_F(LogTimelineTest, ADayFitsInLittleMemoryAndIsPrecise) {
  constexpr absl::Duration kStep = absl::Milliseconds(20);
  constexpr uint64_t kEntries = 24 * 3600 * 50;
  for (uint64_t i = 1; i <= kEntries; ++i) {
    now_ = now_ + kStep;
    Append(100 + i, 10);
  }
  EXPECT_LT(timeline_.stretches(), 4096u);
  for (uint64_t back = 1; back < kEntries; back += 1 + back / 7) {
    const absl::Duration age = kStep * static_cast<double>(back - 1);
    const absl::Duration given = AgeAfter(100 + kEntries - back);
    EXPECT_GE(given, age);
    EXPECT_LE(given, age + age / LogTimeline::kPrecision + kStep + LogTimeline::kResolution) << age;
    EXPECT_NEAR(static_cast<double>(After(100 + kEntries - back)->bytes),
                10.0 * static_cast<double>(back), 1.0);
  }
}

}  // namespace
}  // namespace pontoon::raft
