#include "cmd/pontoon/peer_roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  void Begin(const PeerUrls& peers) {
    roster_.OnPeers(peers);
    roster_.Begin();
    executor_.RunDue();
  }
  void OnPeers(const PeerUrls& peers) {
    roster_.OnPeers(peers);
    executor_.RunDue();
  }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  std::vector<raft::PeerAddresses> told_;
  PeerRoster roster_{&clock_, &executor_,
                     [this](const auto& addresses) { told_.push_back(addresses); }};
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

// A joiner's log begins before it was added.
TEST_F(PeerRosterTest, WhoJoinsKeepsThoseItWasToldOfUntilItsLogHasItsAddition) {
  const PeerUrls told = {{kOne, {"http://a:2"}}, {kTwo, {"http://b:1"}}, {kThree, {"http://c:1"}}};
  const auto all = ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:1"), Pair(kThree, "c:1"));
  roster_.OnIntroduced(kThree, told);
  Begin(told);
  EXPECT_THAT(told_.back(), all);
  OnPeers({{kOne, {"http://a:1"}}});
  executor_.RunFor(2 * PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), all);
  OnPeers({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  EXPECT_THAT(told_.back(), all);
  OnPeers({{kOne, {"http://a:3"}}, {kTwo, {"http://b:1"}}, {kThree, {"http://c:1"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:3"), Pair(kTwo, "b:1"), Pair(kThree, "c:1")));
  OnPeers({{kOne, {"http://a:3"}}, {kThree, {"http://c:1"}}});
  executor_.RunFor(PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:3"), Pair(kThree, "c:1")));
}

TEST_F(PeerRosterTest, HearsayCountsUntilTheMembershipHasNewsOfThatPeer) {
  Begin({{kOne, {"http://a:1"}}, {kTwo, {"http://b:1"}}});
  // One has moved, and three has come.
  roster_.OnHearsay({{kOne, {"http://a:2"}}, {kThree, {"http://c:1"}}});
  executor_.RunDue();
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:1"), Pair(kThree, "c:1")));
  OnPeers({{kOne, {"http://a:1"}}, {kTwo, {"http://b:2"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:2"), Pair(kTwo, "b:2"), Pair(kThree, "c:1")));
  OnPeers({{kOne, {"http://a:3"}}, {kTwo, {"http://b:2"}}, {kThree, {"http://c:1"}}});
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:3"), Pair(kTwo, "b:2"), Pair(kThree, "c:1")));
  OnPeers({{kOne, {"http://a:3"}}, {kTwo, {"http://b:2"}}});
  executor_.RunFor(PeerRoster::kFarewell);
  EXPECT_THAT(told_.back(), ElementsAre(Pair(kOne, "a:3"), Pair(kTwo, "b:2")));
}

}  // namespace
}  // namespace pontoon
