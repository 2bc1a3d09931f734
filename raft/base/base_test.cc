#include <gtest/gtest.h>

#include "raft/base/check.h"
#include "raft/base/instant.h"
#include "raft/base/prng.h"
#include "raft/base/types.h"

namespace pontoon {
namespace {

TEST(StrongInt, CountsAndCompares) {
  const LogIndex five(5);
  EXPECT_EQ(five.Next(), LogIndex(6));
  EXPECT_EQ(five.Prev(), LogIndex(4));
  EXPECT_EQ(five + 3, LogIndex(8));
  EXPECT_EQ(five - LogIndex(2), 3u);
  EXPECT_LT(five, LogIndex(6));
  static_assert(!std::is_convertible_v<LogIndex, Term>);
  static_assert(!std::is_constructible_v<LogIndex, Term>);
}

TEST(NodeId, IsShownAsMemberListsShowIt) {
  EXPECT_EQ(FormatNodeId(NodeId(0x8e9e05c52164694d)), "8e9e05c52164694d");
  EXPECT_EQ(FormatNodeId(NodeId(0x539cbf3698c652b)), "539cbf3698c652b");
  EXPECT_EQ(FormatNodeId(kNoNode), "none");
}

TEST(LogPosition, TheLaterTermWinsThenTheLongerLog) {
  const LogPosition short_new{LogIndex(3), Term(5)};
  const LogPosition long_old{LogIndex(9), Term(4)};
  EXPECT_TRUE(AtLeastAsUpToDate(short_new, long_old));
  EXPECT_FALSE(AtLeastAsUpToDate(long_old, short_new));
  EXPECT_TRUE(AtLeastAsUpToDate(short_new, short_new));
  EXPECT_FALSE(AtLeastAsUpToDate(LogPosition{LogIndex(2), Term(5)}, short_new));
}

TEST(Instant, DifferencesAreDurations) {
  const Instant start = Instant::FromNanos(1'000);
  EXPECT_EQ((start + absl::Milliseconds(2)) - start, absl::Milliseconds(2));
  EXPECT_LT(Instant::InfinitePast(), start);
  EXPECT_LT(start, Instant::InfiniteFuture());
}

TEST(Prng, TheSeedIsTheWholeState) {
  Prng a(42), b(42), c(43);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  for (int i = 0; i < 100; ++i) EXPECT_LT(a.Below(7), 7u);
}

TEST(CheckDeathTest, AFailedCheckSaysWhatAndWhere) {
  const int first = 3, last = 2;
  EXPECT_DEATH(CHECK_LE(first, last) << "a range", "base_test.cc.*3 vs. 2.*a range");
}

}  // namespace
}  // namespace pontoon
