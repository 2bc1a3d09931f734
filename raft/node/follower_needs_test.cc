#include "raft/node/follower_needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace pontoon::raft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Stage = SnapshotStatus::Stage;

constexpr NodeId kFar{2}, kNear{3};
constexpr absl::Duration kAMoment = absl::Milliseconds(100);
constexpr absl::Duration kLong = FollowerNeeds::kContactAgeMax;

class FollowerNeedsTest : public ::testing::Test {
 protected:
  // A leader that has applied 1000 entries, and whose followers have all of them.
  FollowerNeedsTest() {
    picture_.now = Instant::FromNanos(1'000'000'000);
    picture_.term = Term(5);
    picture_.applied = LogIndex(1000);
    picture_.log_bytes = 2000;
    for (const NodeId node : {kFar, kNear}) {
      picture_.peers.push_back({.node = node, .match = LogIndex(1000), .last_contact = {}});
    }
    HearOfAll();
  }

  RaftCore::PeerState& far() { return picture_.peers[0]; }
  void HearOfAll() {
    for (RaftCore::PeerState& peer : picture_.peers) peer.last_contact = picture_.now;
  }
  void Advance(absl::Duration by) { picture_.now = picture_.now + by; }
  void Has(Stage stage, uint64_t index) { picture_.snapshots = {{kFar, stage, LogIndex(index)}}; }

  // The entries after which one are needed, if any are.
  std::optional<LogIndex> Needed() { return needs_.LookAt(picture_).after; }
  std::vector<SnapshotStatus> Over() { return needs_.LookAt(picture_).over; }

  FollowerNeeds::Picture picture_;
  FollowerNeeds needs_{
      {.step_entries = 1, .step_bytes = 500, .keep_entries = 20, .keep_bytes = 5000}};
};

TEST_F(FollowerNeedsTest, WhatTheSlowestLacks) {
  EXPECT_EQ(Needed(), LogIndex(1000));
  far().match = LogIndex(55);
  EXPECT_EQ(Needed(), LogIndex(55));
}

TEST_F(FollowerNeedsTest, ThatOnlyUpToABound) {
  far().match = LogIndex(55);
  picture_.log_bytes = 4999;
  EXPECT_EQ(Needed(), LogIndex(55));
  picture_.log_bytes = 5000;
  EXPECT_EQ(Needed(), std::nullopt);
}

TEST_F(FollowerNeedsTest, NothingForOneThatIsAway) {
  Needed();
  far().match = LogIndex(55);
  Advance(kLong - kAMoment);
  picture_.peers[1].last_contact = picture_.now;
  EXPECT_EQ(Needed(), LogIndex(55));
  Advance(kAMoment);
  EXPECT_EQ(Needed(), LogIndex(1000));
}

// A new leader knows nothing of its followers, which may lack only a little.
TEST_F(FollowerNeedsTest, ANewLeaderWaitsUntilItHasHeardOfAll) {
  far() = {.node = kFar, .match = LogIndex(), .last_contact = Instant::InfinitePast()};
  EXPECT_EQ(Needed(), LogIndex(0));
  Advance(kLong - kAMoment);
  picture_.peers[1].last_contact = picture_.now;
  EXPECT_EQ(Needed(), LogIndex(0));
  Advance(kAMoment);
  EXPECT_EQ(Needed(), LogIndex(1000)) << "it is away";
}

TEST_F(FollowerNeedsTest, ALeaderIsNewInEachTermThatItWins) {
  Needed();
  Advance(10 * kLong);
  picture_.term = Term(7);
  far() = {.node = kFar, .match = LogIndex(), .last_contact = Instant::InfinitePast()};
  EXPECT_EQ(Needed(), LogIndex(0));
  const auto peers = std::exchange(picture_.peers, {});
  Advance(10 * kLong);
  picture_.term = Term(8);
  EXPECT_EQ(Needed(), std::nullopt) << "another one leads";
  Advance(10 * kLong);
  picture_.peers = peers;
  EXPECT_EQ(Needed(), LogIndex(0)) << "counted from the election, not from the term's begin";
}

TEST_F(FollowerNeedsTest, WhatFollowsASnapshotUnderWayHoweverLongItTakes) {
  far().match = LogIndex(1);
  far().in_snapshot = true;
  Has(Stage::kUnderWay, 900);
  picture_.log_bytes = 1'000'000;
  Advance(10 * kLong);
  EXPECT_EQ(Needed(), LogIndex(900));
  EXPECT_THAT(Over(), IsEmpty());
}

TEST_F(FollowerNeedsTest, ASnapshotThatWaitsNeedsNothingYet) {
  far().match = LogIndex(1);
  far().in_snapshot = true;
  Has(Stage::kWaiting, 0);
  EXPECT_EQ(Needed(), LogIndex(1000));
  EXPECT_THAT(Over(), IsEmpty());
}

TEST_F(FollowerNeedsTest, ASnapshotThatItDoesWithoutIsOver) {
  for (const Stage stage : {Stage::kWaiting, Stage::kUnderWay}) {
    Has(stage, 900);
    EXPECT_THAT(Over(), ElementsAre(SnapshotStatus{kFar, stage, LogIndex(900)}));
  }
}

TEST_F(FollowerNeedsTest, ASnapshotForNoMemberIsOver) {
  for (const Stage stage : {Stage::kWaiting, Stage::kUnderWay, Stage::kSent}) {
    picture_.snapshots = {{NodeId(9), stage, LogIndex(900)}};
    EXPECT_THAT(Over(), ElementsAre(picture_.snapshots[0]));
  }
}

// A follower with a snapshot of the entry 900, in a log that is too long to be kept for others.
class SentSnapshotTest : public FollowerNeedsTest {
 protected:
  SentSnapshotTest() {
    Has(Stage::kSent, 900);
    far().match = LogIndex(1);
    picture_.log_bytes = 10'000;
  }
};

// If they went the follower would need another one, and would find the log cut off again after it.
TEST_F(SentSnapshotTest, WhatFollowsItIsKeptUntilTheFollowerHasCaughtUp) {
  EXPECT_EQ(Needed(), LogIndex(900)) << "it has not answered yet";
  far().match = LogIndex(950);
  EXPECT_EQ(Needed(), LogIndex(950));
  far().match = LogIndex(979);
  EXPECT_EQ(Needed(), LogIndex(979));
  EXPECT_THAT(Over(), IsEmpty());
  far().match = LogIndex(980);
  EXPECT_THAT(Over(), ElementsAre(picture_.snapshots[0])) << "it needs no more than is always kept";
  EXPECT_EQ(Needed(), std::nullopt);
}

TEST_F(SentSnapshotTest, NotForOneThatIsAway) {
  Needed();
  Advance(kLong - kAMoment);
  EXPECT_EQ(Needed(), LogIndex(900));
  Advance(kAMoment);
  EXPECT_EQ(Needed(), std::nullopt);
  EXPECT_THAT(Over(), ElementsAre(picture_.snapshots[0]));
}

TEST_F(SentSnapshotTest, NotWithoutABound) {
  Needed();
  picture_.log_bytes = 20'499;
  EXPECT_EQ(Needed(), LogIndex(900));
  picture_.log_bytes = 20'500;
  EXPECT_EQ(Needed(), std::nullopt);
  EXPECT_THAT(Over(), ElementsAre(picture_.snapshots[0]));
}

TEST_F(SentSnapshotTest, TheBoundIsThatOfAllFollowersIfThatIsLarger) {
  picture_.log_bytes = 1000;
  Needed();
  far().in_snapshot = true;  // so that only the snapshot counts
  picture_.log_bytes = 4999;
  EXPECT_EQ(Needed(), LogIndex(900));
}

TEST_F(SentSnapshotTest, TheNextOneHasABoundOfItsOwn) {
  Needed();
  Has(Stage::kSent, 990);
  far().match = LogIndex(1);
  picture_.applied = LogIndex(2000);
  picture_.log_bytes = 30'000;
  EXPECT_EQ(Needed(), LogIndex(990));
}

}  // namespace
}  // namespace pontoon::raft
