#include "cmd/pontoon/peer_roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "raft/env/testing/manual_time.h"

namespace pontoon {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr NodeId kThree{3};

class PeerRosterTest : public testing::Test {
 protected:
  // By a log that ends with a configuration, and is committed.
  static raft::PeerNews Committed(const PeerUrls& peers, uint64_t index) {
    return {peers, LogIndex(index), LogIndex(index), At(1, index)};
  }
  static LogPosition At(uint64_t term, uint64_t index) { return {LogIndex(index), Term(term)}; }

  void Begin(const PeerUrls& peers, uint64_t commit = 10) {
    roster_.OnPeers(Committed(peers, commit));
    roster_.Begin();
    executor_.RunDue();
  }
  void OnPeers(const PeerUrls& peers, uint64_t commit = 10) {
    roster_.OnPeers(Committed(peers, commit));
    executor_.RunDue();
  }
  // The configuration is the log's last entry.
  void OnPeers(const PeerUrls& peers, LogPosition log_end) {
    roster_.OnPeers({peers, log_end.index, LogIndex(0), log_end});
    executor_.RunDue();
  }
  void OnHearsay(const PeerUrls& members, uint64_t index) {
    roster_.OnHearsay(members, LogIndex(index));
    executor_.RunDue();
  }

  // The address is that of the last entry of the peer's log.
  void OnGreeting(NodeId peer, const std::string& url, LogPosition log_end, uint64_t life = 1) {
    roster_.OnGreeting({.from = peer,
                        .incarnation = life,
                        .whereabouts = {.url = url, .index = log_end.index, .log_end = log_end}});
    executor_.RunDue();
  }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  std::vector<raft::PeerAddresses> told_;
  raft::Whereabouts own_;  // as told last
  PeerRoster roster_{kOne, &clock_, &executor_, [this](const auto& addresses, const auto& own) {
                       told_.push_back(addresses);
                       own_ = own;
                     }};
};

TEST_F(PeerRosterTest, TellsNothingBeforeItBegins) {
  OnPeers({{kOne, {"http://a:1"}}});
  EXPECT_TRUE(told_.empty());
  roster_.Begin();
  executor_.RunDue();
  EXPECT_THAT(told_, ElementsAre(raft::PeerAddresses{{kOne, "a:1"}}));
}

TEST_F(PeerRosterTest, DialsTheFirstAddress) {
  Begin({{kOne, {"http://a:1", "http://a:2"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1")));
  OnPeers({{kOne, {"http://a:2"}}, {kTwo, {"http://b:1"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:1")));
}

TEST_F(PeerRosterTest, WhoHasNoAddressIsLeftOut) {
  Begin({{kOne, {}}, {kTwo, {"http://b:1"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:1")));
}

TEST_F(PeerRosterTest, WhoLeavesIsReachedForAMomentLonger) {
  Begin({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  OnPeers({{kOne, {"http://a:1"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1"), Pair(kTwo, "b:1")));
  executor_.RunFor(PeerRoster::kFarewell - absl::Milliseconds(1));
  // Another change does not make it longer.
  OnPeers({{kOne, {"http://a:1"}}, {kThree, {"http://c:1"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1"), Pair(kTwo, "b:1"), Pair(kThree, "c:1")));
  executor_.RunFor(absl::Milliseconds(1));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1"), Pair(kThree, "c:1")));
}

TEST_F(PeerRosterTest, WhoComesBackMeanwhileStays) {
  Begin({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  OnPeers({{kOne, {"http://a:1"}}});
  OnPeers({{kOne, {"http://a:1"}}, {kTwo, {"http://b:2"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1"), Pair(kTwo, "b:2")));
  const size_t told = told_.size();
  executor_.RunFor(2 * PeerRoster::kFarewell);
  EXPECT_EQ(told_.size(), told);
}

// This member's log is behind that of the others.
TEST_F(PeerRosterTest, HearsayCountsUntilTheLogIsCommittedThatFar) {
  Begin({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  // One has moved twice, and three has come.
  OnHearsay({{kOne, {"http://a:3"}}, {kThree, {"http://c:1"}}}, 20);
  const auto heard = ElementsAre(Pair(kOne, "a:3"), Pair(kTwo, "b:1"), Pair(kThree, "c:1"));
  EXPECT_THAT(told_.back(), heard);
  // What the log comes to first is older, also where it is news.
  OnPeers({{kOne, {"http://a:2"}}, {kTwo, {"http://b:1"}}}, 19);
  EXPECT_THAT(told_.back(), heard);
  OnPeers({{kOne, {"http://a:4"}}}, 20);
  executor_.RunFor(PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:4")));
}

// It was on its way while this member's log went on.
TEST_F(PeerRosterTest, HearsayThatIsOlderThanTheLogIsIgnored) {
  Begin({{kOne, {"http://a:2"}}}, 20);
  const size_t told = told_.size();
  // One has moved meanwhile, and two was removed.
  OnHearsay({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}}, 15);
  OnHearsay({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}}, 20);
  EXPECT_EQ(told_.size(), told);
  // Nor does it count later.
  OnPeers({{kOne, {"http://a:2"}}}, 20);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2")));
}

TEST_F(PeerRosterTest, OlderHearsayNeverReplacesNewer) {
  Begin({{kOne, {"http://a:1"}}});
  OnHearsay({{kOne, {"http://a:3"}}}, 30);
  const size_t told = told_.size();
  OnHearsay({{kOne, {"http://a:2"}}, {kTwo, {"http://b:1"}}}, 29);
  EXPECT_EQ(told_.size(), told);
  OnHearsay({{kOne, {"http://a:4"}}}, 31);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:4")));
}

// As a version tells it that does not know how old it is.
TEST_F(PeerRosterTest, HearsayWithoutAnAgeIsIgnored) {
  Begin({{kOne, {"http://a:1"}}}, 0);
  OnHearsay({{kOne, {"http://a:2"}}}, 0);
  EXPECT_THAT(told_, ElementsAre(raft::PeerAddresses{{kOne, "a:1"}}));
}

// Two has moved, and nobody else is there to say so.
TEST_F(PeerRosterTest, APeerSaysWhereItIsItself) {
  Begin({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  OnGreeting(kTwo, "http://b:0", At(1, 10));
  EXPECT_EQ(told_.size(), 1u) << "that is no news";
  OnGreeting(kTwo, "http://b:3", At(1, 30));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1"), Pair(kTwo, "b:3")));
  // On its way for longer.
  OnGreeting(kTwo, "http://b:2", At(1, 20));
  OnHearsay({{kOne, {"http://a:2"}}, {kTwo, {"http://b:2"}}}, 29);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:3")));
  OnPeers({{kOne, {"http://a:2"}}, {kTwo, {"http://b:2"}}}, 29);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:3")));
  OnPeers({{kOne, {"http://a:2"}}, {kTwo, {"http://b:4"}}}, 31);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:4")));
}

TEST_F(PeerRosterTest, LaterHearsayCountsForMoreThanWhatAPeerSays) {
  Begin({{kTwo, {"http://b:1"}}});
  OnGreeting(kTwo, "http://b:2", At(1, 20));
  OnHearsay({{kTwo, {"http://b:3"}}}, 21);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:3")));
}

// Two was moved while it was away, and does not know it yet. Nor does this member know how far its
// log is committed: it has just started.
TEST_F(PeerRosterTest, WhatAPeerSaysByAnOlderLogIsIgnored) {
  roster_.Begin();
  OnPeers({{kTwo, {"http://b:3"}}}, At(1, 30));
  OnGreeting(kTwo, "http://b:2", At(1, 20));
  OnGreeting(kTwo, "http://b:2", At(1, 30));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:3")));
  // What was later goes when the log has more.
  OnGreeting(kTwo, "http://b:4", At(1, 40));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:4")));
  OnPeers({{kTwo, {"http://b:5"}}}, At(1, 50));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:5")));
}

// Two led, wrote that it moves, and nobody else got that: it is where it was, and is to hear there
// that the entry is truncated.
TEST_F(PeerRosterTest, WhatAPeerSaysByAnEntryThatNeverCountedIsIgnored) {
  const PeerUrls peers = {{kTwo, {"http://b:1"}}};
  roster_.Begin();
  roster_.OnPeers({peers, LogIndex(15), LogIndex(15), At(3, 16)});
  OnGreeting(kTwo, "http://b:2", At(2, 20));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:1")));
}

TEST_F(PeerRosterTest, WhatAPeerSaysGoesWhenThisLogGetsALaterTerm) {
  Begin({{kTwo, {"http://b:1"}}}, 15);
  OnGreeting(kTwo, "http://b:2", At(2, 20));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:2")));
  roster_.OnPeers({{{kTwo, {"http://b:1"}}}, LogIndex(15), LogIndex(15), At(3, 16)});
  executor_.RunDue();
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:1")));
}

// This log has an entry of its own that never counted.
TEST_F(PeerRosterTest, WhatAPeerSaysByALogOfALaterTermCounts) {
  roster_.Begin();
  OnPeers({{kTwo, {"http://b:1"}}}, At(2, 20));
  OnGreeting(kTwo, "http://b:2", At(3, 18));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:2")));
}

// What it said by an entry that was not durable it has forgotten.
TEST_F(PeerRosterTest, APeerThatStartedAnewMayTakeBackWhatItSaid) {
  Begin({{kTwo, {"http://b:1"}}});
  OnGreeting(kTwo, "http://b:3", At(1, 30), 1);
  OnGreeting(kTwo, "http://b:2", At(1, 20), 2);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:2")));
  OnGreeting(kTwo, "http://b:0", At(1, 10), 3);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kTwo, "b:1")));
}

TEST_F(PeerRosterTest, WhoIsRemovedIsNotKeptByWhatItSays) {
  Begin({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  OnGreeting(kTwo, "http://b:3", At(1, 30));
  OnPeers({{kOne, {"http://a:1"}}}, 20);
  executor_.RunFor(PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1")));
}

TEST_F(PeerRosterTest, NobodyMakesItselfAPeer) {
  Begin({{kOne, {"http://a:1"}}});
  OnGreeting(kTwo, "http://b:1", At(1, 20));
  OnGreeting(kOne, "", At(1, 20));
  OnGreeting(kOne, "no address", At(1, 20));
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:1")));
}

TEST_F(PeerRosterTest, TellsWhereThisMemberIsByItsOwnLog) {
  Begin({{kOne, {"http://a:1", "http://a:9"}}}, 10);
  const raft::Whereabouts at_first{"http://a:1", LogIndex(10), At(1, 10)};
  EXPECT_EQ(own_, at_first);
  OnHearsay({{kOne, {"http://a:3"}}}, 30);
  EXPECT_EQ(own_, at_first);
  roster_.OnPeers({{{kOne, {"http://a:2"}}}, LogIndex(20), LogIndex(10), At(2, 21)});
  executor_.RunDue();
  EXPECT_EQ(own_, (raft::Whereabouts{"http://a:2", LogIndex(20), At(2, 21)}));
  OnPeers({{kTwo, {"http://b:1"}}}, 40);
  EXPECT_EQ(own_.url, "");
}

// The log of a node that joins begins before it was added.
TEST_F(PeerRosterTest, WhoJoinsKeepsThoseItWasToldOf) {
  const PeerUrls told = {{kOne, {"http://a:2"}}, {kTwo, {"http://b:1"}}, {kThree, {"http://c:1"}}};
  const auto all = ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:1"), Pair(kThree, "c:1"));
  roster_.OnHearsay(told, LogIndex(20));
  Begin(told, 0);
  EXPECT_THAT(told_, ElementsAre(all));
  OnPeers({{kOne, {"http://a:1"}}}, 10);
  executor_.RunFor(2 * PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), all);
  OnPeers({{kOne, {"http://a:2"}}, {kThree, {"http://c:1"}}}, 20);
  executor_.RunFor(PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kThree, "c:1")));
}

}  // namespace
}  // namespace pontoon
