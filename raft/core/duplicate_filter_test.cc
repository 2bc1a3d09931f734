#include "raft/core/duplicate_filter.h"

#include <gtest/gtest.h>

#include <set>

#include "raft/base/prng.h"

namespace pontoon::raft {
namespace {

constexpr uint64_t kWindow = DuplicateFilter::kWindow;

RequestId From(uint64_t origin, uint64_t sequence) { return {NodeId(origin), sequence}; }

// The sequence numbers of the `life`-th process of a node.
uint64_t InLife(uint64_t life, uint64_t sequence) { return life << 32 | sequence; }

TEST(DuplicateFilter, LetsEachRequestInOnce) {
  DuplicateFilter filter;
  for (uint64_t s = 1; s <= 1000; ++s) EXPECT_TRUE(filter.Insert(From(1, s)));
  for (uint64_t s = 1; s <= 1000; ++s) EXPECT_FALSE(filter.Insert(From(1, s)));
}

TEST(DuplicateFilter, BearsReordering) {
  DuplicateFilter filter;
  for (const uint64_t s : {5, 3, 9, 4, 1, 8}) EXPECT_TRUE(filter.Insert(From(1, s))) << s;
  for (const uint64_t s : {5, 3, 9, 4, 1, 8}) EXPECT_FALSE(filter.Insert(From(1, s))) << s;
  for (const uint64_t s : {2, 6, 7}) EXPECT_TRUE(filter.Insert(From(1, s))) << s;
}

TEST(DuplicateFilter, KeepsTheOriginsApart) {
  DuplicateFilter filter;
  EXPECT_TRUE(filter.Insert(From(1, 7)));
  EXPECT_TRUE(filter.Insert(From(2, 7)));
  EXPECT_FALSE(filter.Insert(From(1, 7)));
}

TEST(DuplicateFilter, KeepsTheLivesOfAnOriginApart) {
  DuplicateFilter filter;
  EXPECT_TRUE(filter.Insert(From(1, InLife(1, 100))));
  EXPECT_TRUE(filter.Insert(From(1, InLife(2, 1))));
  EXPECT_TRUE(filter.Insert(From(1, InLife(1, 99)))) << "a late one of the earlier life";
  EXPECT_FALSE(filter.Insert(From(1, InLife(1, 100))));
  EXPECT_FALSE(filter.Insert(From(1, InLife(2, 1))));
}

TEST(DuplicateFilter, WhatIsTooOldForTheWindowCountsAsTaken) {
  DuplicateFilter filter;
  EXPECT_TRUE(filter.Insert(From(1, kWindow + 10)));
  EXPECT_TRUE(filter.Insert(From(1, 11))) << "the oldest in the window";
  EXPECT_FALSE(filter.Insert(From(1, 11)));
  EXPECT_FALSE(filter.Insert(From(1, 10))) << "one too old";
  EXPECT_FALSE(filter.Insert(From(1, 1)));
}

TEST(DuplicateFilter, AJumpForgetsOnlyWhatFallsOutOfTheWindow) {
  for (const uint64_t jump : {uint64_t{1}, uint64_t{2}, kWindow - 1, kWindow, kWindow + 1,
                              2 * kWindow, 3 * kWindow + 7}) {
    DuplicateFilter filter;
    EXPECT_TRUE(filter.Insert(From(1, 50)));
    EXPECT_TRUE(filter.Insert(From(1, 50 + jump)));
    EXPECT_FALSE(filter.Insert(From(1, 50 + jump))) << jump;
    EXPECT_FALSE(filter.Insert(From(1, 50))) << jump;
    if (jump > 1) {
      EXPECT_TRUE(filter.Insert(From(1, 50 + jump - 1))) << jump;
      EXPECT_FALSE(filter.Insert(From(1, 50 + jump - 1))) << jump;
    }
  }
}

TEST(DuplicateFilter, TakesNoMoreOriginsThanItsBound) {
  DuplicateFilter filter;
  for (uint64_t origin = 1; origin <= DuplicateFilter::kOriginsMax; ++origin) {
    EXPECT_TRUE(filter.Insert(From(origin, 1)));
  }
  EXPECT_FALSE(filter.Insert(From(1000, 1)));
  EXPECT_TRUE(filter.Insert(From(1, 2))) << "the known ones go on";
  EXPECT_FALSE(filter.Insert(From(1, 1)));
}

TEST(DuplicateFilter, ForgetsEarlierLivesOfAProcessForTheSakeOfLaterOnes) {
  DuplicateFilter filter;
  const auto in_life = [](uint64_t life) { return RequestId{NodeId(1), life << 32 | 1}; };
  EXPECT_TRUE(filter.Insert(From(2, 1)));
  for (uint64_t life = 1; life <= 3 * DuplicateFilter::kOriginsMax; ++life) {
    EXPECT_TRUE(filter.Insert(in_life(life))) << "its life " << life;
  }
  EXPECT_FALSE(filter.Insert(in_life(3 * DuplicateFilter::kOriginsMax)));
  EXPECT_FALSE(filter.Insert(From(2, 1))) << "the only life of another process is not forgotten";
}

TEST(DuplicateFilter, NeverLetsAnythingInTwice) {
  Prng prng(11);
  DuplicateFilter filter;
  std::set<uint64_t> taken;
  uint64_t newest = 1;
  for (int i = 0; i < 50000; ++i) {
    if (prng.Below(1000) == 0) newest += prng.Below(3 * kWindow);
    newest += prng.Below(3);
    const uint64_t back = prng.Below(prng.Below(10) == 0 ? 2 * kWindow : 20);
    const uint64_t sequence = newest - std::min(newest - 1, back);
    const bool in = filter.Insert(From(1, sequence));
    ASSERT_FALSE(in && taken.contains(sequence)) << sequence;
    if (in) taken.insert(sequence);
  }
}

}  // namespace
}  // namespace pontoon::raft
