#include "raft/core/lease.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

constexpr absl::Duration kDuration = absl::Milliseconds(300);

Instant At(int64_t ms) { return Instant::FromNanos(1'000'000'000 + ms * 1'000'000); }

TEST(LeaseTest, CountsFromTheSendingOfTheConfirmedRound) {
  Lease lease(kDuration);
  EXPECT_FALSE(lease.HoldsAt(At(0)));
  lease.OnRoundStarted(RoundId(1), At(0));
  EXPECT_FALSE(lease.HoldsAt(At(1))) << "nobody has acknowledged it";
  lease.OnRoundConfirmed(RoundId(1));  // whenever that is
  EXPECT_TRUE(lease.HoldsAt(At(299)));
  EXPECT_FALSE(lease.HoldsAt(At(300)));
}

TEST(LeaseTest, ALaterRoundConfirmsTheEarlierOnes) {
  Lease lease(kDuration);
  for (int i = 1; i <= 3; ++i) lease.OnRoundStarted(RoundId(i), At(100 * i));
  lease.OnRoundConfirmed(RoundId(2));
  EXPECT_TRUE(lease.HoldsAt(At(499)));
  EXPECT_FALSE(lease.HoldsAt(At(500)));
  lease.OnRoundConfirmed(RoundId(1));  // late news change nothing
  EXPECT_TRUE(lease.HoldsAt(At(499)));
  lease.OnRoundConfirmed(RoundId(3));
  EXPECT_TRUE(lease.HoldsAt(At(599)));
}

TEST(LeaseTest, WhatWasGivenUpDoesNotComeBack) {
  Lease lease(kDuration);
  lease.OnRoundStarted(RoundId(1), At(0));
  lease.OnRoundConfirmed(RoundId(1));
  lease.GiveUp();
  EXPECT_FALSE(lease.HoldsAt(At(1)));
  lease.OnRoundStarted(RoundId(2), At(10));
  lease.OnRoundConfirmed(RoundId(2));
  EXPECT_FALSE(lease.HoldsAt(At(11)));
}

TEST(LeaseTest, NoneWithoutADuration) {
  Lease lease{absl::ZeroDuration()};
  lease.OnRoundStarted(RoundId(1), At(0));
  lease.OnRoundConfirmed(RoundId(1));
  EXPECT_FALSE(lease.HoldsAt(At(0)));
}

TEST(LeaseTest, RoundsThatNobodyConfirmsAreForgotten) {
  Lease lease(kDuration);
  for (size_t i = 1; i <= Lease::kRoundsMax + 1; ++i) lease.OnRoundStarted(RoundId(i), At(0));
  lease.OnRoundConfirmed(RoundId(1));
  EXPECT_FALSE(lease.HoldsAt(At(1)));
  lease.OnRoundConfirmed(RoundId(2));
  EXPECT_TRUE(lease.HoldsAt(At(1)));
}

}  // namespace
}  // namespace pontoon::raft
