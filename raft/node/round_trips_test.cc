#include "raft/node/round_trips.h"

#include <gtest/gtest.h>

#include <array>

namespace pontoon::raft {
namespace {

constexpr NodeId kPeer{2}, kOther{3};
constexpr absl::Duration kStep = absl::Milliseconds(5);

class RoundTripsTest : public ::testing::Test {
 protected:
  void Ask(uint64_t round) { trips_.OnHeartbeat(kPeer, RoundId(round), now_); }
  void Answer(uint64_t round) { trips_.OnAnswer(kPeer, RoundId(round), now_); }
  void Wait(absl::Duration time = kStep) { now_ = now_ + time; }
  uint64_t Count() const { return trips_.Read().at(kPeer).count(); }
  absl::Duration Sum() const { return trips_.Read().at(kPeer).sum; }

  Instant now_ = Instant::FromNanos(1'000'000'000);
  RoundTrips trips_;
};

TEST_F(RoundTripsTest, AnAnswerEndsTheTime) {
  Ask(1);
  Wait();
  Answer(1);
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(Sum(), kStep);
  Answer(1);  // doubled on its way
  EXPECT_EQ(Count(), 1u);
}

TEST_F(RoundTripsTest, ALaterAnswerCountsAndAnEarlierDoesNot) {
  Ask(5);
  Wait();
  Answer(4);
  EXPECT_EQ(Count(), 0u);
  Ask(6);  // one at a time: the time runs from round 5 on
  Wait();
  Answer(6);
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(Sum(), 2 * kStep);
}

TEST_F(RoundTripsTest, WhatStaysWithoutAnAnswerIsNotCounted) {
  Ask(1);
  Wait(RoundTrips::kPatience + kStep);
  Answer(1);
  EXPECT_EQ(Count(), 0u);
  Ask(2);
  Wait(RoundTrips::kPatience + kStep);
  Ask(3);
  Wait();
  Answer(3);
  EXPECT_EQ(Sum(), kStep);
}

TEST_F(RoundTripsTest, AnotherTermAsksAnew) {
  Ask(7);
  trips_.OnHeartbeat(kOther, RoundId(7), now_);
  Wait();
  trips_.BeginAnew(std::array{kPeer});
  EXPECT_FALSE(trips_.Read().contains(kOther));
  Answer(9);  // of the other term
  EXPECT_EQ(Count(), 0u);
  Ask(1);
  Wait();
  Answer(1);
  EXPECT_EQ(Sum(), kStep);
  trips_.OnAnswer(kOther, RoundId(7), now_);
  EXPECT_FALSE(trips_.Read().contains(kOther));
}

}  // namespace
}  // namespace pontoon::raft
