#include "kv/client/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace pontoon {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

class BalancerTest : public ::testing::Test {
 protected:
  static constexpr Balancer::Options kOptions{.set_aside_first = absl::Milliseconds(100),
                                              .set_aside_longest = absl::Milliseconds(1000)};

  BalancerTest() { balancer_.SetAddresses({"a", "b", "c"}); }

  std::optional<std::string> Choose(Prefer prefer, const std::vector<std::string>& tried = {}) {
    return balancer_.Choose(prefer, tried, now_);
  }
  // How many of 30 choices go to each.
  std::map<std::string, int> Share(Prefer prefer) {
    std::map<std::string, int> share;
    for (int i = 0; i < 30; ++i) ++share[Choose(prefer).value_or("none")];
    return share;
  }
  void SetRoundTrips(absl::Duration a, absl::Duration b, absl::Duration c) {
    balancer_.OnRoundTrip("a", a);
    balancer_.OnRoundTrip("b", b);
    balancer_.OnRoundTrip("c", c);
  }
  void SetIds() {
    balancer_.OnAnswer("a", 1, 5);
    balancer_.OnAnswer("b", 2, 5);
    balancer_.OnAnswer("c", 3, 5);
  }
  using Shares = std::map<std::string, int>;

  Instant now_ = Instant::FromNanos(1'000'000'000);
  Balancer balancer_{kOptions};
};

TEST_F(BalancerTest, TakesAllInTurnAtFirst) {
  EXPECT_EQ(Share(Prefer::kNearest), (Shares{{"a", 10}, {"b", 10}, {"c", 10}}));
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"a", 10}, {"b", 10}, {"c", 10}}));
}

TEST_F(BalancerTest, TakesTheNearest) {
  SetRoundTrips(absl::Milliseconds(30), absl::Milliseconds(2), absl::Milliseconds(80));
  EXPECT_EQ(Share(Prefer::kNearest), (Shares{{"b", 30}}));
  EXPECT_THAT(Choose(Prefer::kNearest, {"b"}), Optional(std::string("a")));
  EXPECT_THAT(Choose(Prefer::kNearest, {"b", "a"}), Optional(std::string("c")));
  EXPECT_EQ(Choose(Prefer::kNearest, {"b", "a", "c"}), std::nullopt);
}

TEST_F(BalancerTest, SharesAmongThoseThatAreEquallyNear) {
  SetRoundTrips(absl::Microseconds(300), absl::Microseconds(200), absl::Milliseconds(80));
  EXPECT_EQ(Share(Prefer::kNearest), (Shares{{"a", 15}, {"b", 15}}));
}

TEST_F(BalancerTest, SmoothsRoundTrips) {
  balancer_.OnRoundTrip("a", absl::Milliseconds(10));
  EXPECT_THAT(balancer_.RoundTripOf("a"), Optional(absl::Milliseconds(10)));
  balancer_.OnRoundTrip("a", absl::Milliseconds(20));
  EXPECT_GT(*balancer_.RoundTripOf("a"), absl::Milliseconds(12));
  EXPECT_LT(*balancer_.RoundTripOf("a"), absl::Milliseconds(14));
  for (int i = 0; i < 20; ++i) balancer_.OnRoundTrip("a", absl::Milliseconds(20));
  EXPECT_GT(*balancer_.RoundTripOf("a"), absl::Milliseconds(19));
}

TEST_F(BalancerTest, TakesTheLeaderForWhatPrefersIt) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  SetIds();
  balancer_.OnLeader(3, 5);
  EXPECT_TRUE(balancer_.KnowsLeader());
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"c", 30}}));
  EXPECT_EQ(Share(Prefer::kNearest), (Shares{{"a", 30}}));
  EXPECT_THAT(Choose(Prefer::kLeader, {"c"}), Optional(std::string("a")));
}

TEST_F(BalancerTest, ForgetsTheLeaderOfAnOlderTerm) {
  SetIds();
  balancer_.OnLeader(3, 5);
  balancer_.OnAnswer("a", 1, 6);
  EXPECT_FALSE(balancer_.KnowsLeader());
  balancer_.OnLeader(3, 5);  // late news
  EXPECT_FALSE(balancer_.KnowsLeader());
  balancer_.OnLeader(2, 6);
  EXPECT_TRUE(balancer_.KnowsLeader());
  balancer_.OnLeader(0, 6);  // of a member that has not heard of it yet
  EXPECT_TRUE(balancer_.KnowsLeader());
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"b", 30}}));
}

TEST_F(BalancerTest, FindsTheLeaderOnceItsAddressIsKnown) {
  balancer_.OnLeader(9, 5);
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"a", 10}, {"b", 10}, {"c", 10}}));
  balancer_.OnAnswer("b", 9, 5);
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"b", 30}}));
}

TEST_F(BalancerTest, SetsAsideWhoFails) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  SetIds();
  balancer_.OnLeader(1, 5);
  balancer_.OnFailure("a", now_);
  EXPECT_EQ(Share(Prefer::kNearest), (Shares{{"b", 30}}));
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"b", 30}}));
  now_ = now_ + absl::Milliseconds(100);
  EXPECT_EQ(Share(Prefer::kNearest), (Shares{{"a", 30}}));
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"a", 30}}));
}

TEST_F(BalancerTest, SetsAsideForLongerEachTime) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  for (const int aside_ms : {100, 200, 400, 800, 1000, 1000, 1000}) {
    balancer_.OnFailure("a", now_);
    now_ = now_ + absl::Milliseconds(aside_ms) - absl::Nanoseconds(1);
    EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b"))) << aside_ms;
    now_ = now_ + absl::Nanoseconds(1);
    EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("a"))) << aside_ms;
  }
  balancer_.OnAnswer("a", 1, 1);
  balancer_.OnFailure("a", now_);
  now_ = now_ + absl::Milliseconds(100);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("a"))) << "an answer ends the row";
}

TEST_F(BalancerTest, AsksWhoWasSetAsideIfThereIsNoOther) {
  balancer_.OnFailure("c", now_);
  balancer_.OnFailure("b", now_ + absl::Milliseconds(1));
  balancer_.OnFailure("a", now_ + absl::Milliseconds(2));
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("c"))) << "the first to come back";
  EXPECT_THAT(Choose(Prefer::kNearest, {"c"}), Optional(std::string("b")));
}

TEST_F(BalancerTest, SetsAsideWhoIsOvertakenTimeAndAgain) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  balancer_.OnOvertaken("a", now_);
  balancer_.OnOvertaken("a", now_);
  balancer_.OnAnswer("a", 1, 1);
  balancer_.OnOvertaken("a", now_);
  balancer_.OnOvertaken("a", now_);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("a")));
  balancer_.OnSignOfLife("a", 1, 1);  // says nothing of the calls
  balancer_.OnOvertaken("a", now_);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b")));
}

TEST_F(BalancerTest, WhoOnlySaysThatItIsWellStaysAside) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  balancer_.OnFailure("a", now_);
  balancer_.OnSignOfLife("a", 1, 1);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b")));
  now_ = now_ + absl::Milliseconds(100);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("a")));
  balancer_.OnFailure("a", now_);
  balancer_.OnSignOfLife("a", 1, 1);
  now_ = now_ + absl::Milliseconds(100);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b"))) << "the second in a row";
}

TEST_F(BalancerTest, WhoIsBackIsAskedAtOnce) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  balancer_.OnFailure("a", now_);
  balancer_.OnProbeFailure("a", 0, 0, now_);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b")));
  balancer_.OnSignOfLife("a", 1, 1);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("a")));
  balancer_.OnFailure("a", now_);
  balancer_.OnSignOfLife("a", 1, 1);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b"))) << "it was not away this time";
}

TEST_F(BalancerTest, ProbesTellWhoIsWhereAndOfNewTerms) {
  balancer_.OnLeader(3, 5);
  balancer_.OnSignOfLife("c", 3, 5);
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"c", 30}}));
  balancer_.OnSignOfLife("a", 1, 6);
  EXPECT_FALSE(balancer_.KnowsLeader());
  balancer_.OnLeader(2, 6);
  balancer_.OnProbeFailure("b", 2, 6, now_);
  now_ = now_ + absl::Milliseconds(100);
  EXPECT_EQ(Share(Prefer::kLeader), (Shares{{"b", 30}}));
  balancer_.OnProbeFailure("b", 2, 7, now_);
  EXPECT_FALSE(balancer_.KnowsLeader());
}

TEST_F(BalancerTest, TakesTwoAddressesOfAMemberForOne) {
  balancer_.OnAnswer("a", 7, 1);
  balancer_.OnAnswer("b", 7, 1);
  EXPECT_THAT(Choose(Prefer::kNearest, {"a"}), Optional(std::string("c")));
  EXPECT_EQ(Choose(Prefer::kNearest, {"a", "c"}), std::nullopt);
}

TEST_F(BalancerTest, KeepsWhatItKnowsOfThoseThatStay) {
  SetRoundTrips(absl::Milliseconds(2), absl::Milliseconds(30), absl::Milliseconds(80));
  balancer_.SetAddresses({"b", "d"});
  EXPECT_THAT(balancer_.addresses(), ElementsAre("b", "d"));
  EXPECT_THAT(balancer_.RoundTripOf("b"), Optional(absl::Milliseconds(30)));
  EXPECT_EQ(balancer_.RoundTripOf("a"), std::nullopt);
  EXPECT_THAT(Choose(Prefer::kNearest), Optional(std::string("b")));
  // News of one that is gone does no harm.
  balancer_.OnAnswer("a", 1, 1);
  balancer_.OnFailure("a", now_);
  balancer_.OnSignOfLife("a", 1, 1);
  balancer_.OnProbeFailure("a", 0, 0, now_);
  balancer_.OnOvertaken("a", now_);
  balancer_.OnRoundTrip("a", absl::Milliseconds(1));
  EXPECT_THAT(balancer_.addresses(), ElementsAre("b", "d"));
}

}  // namespace
}  // namespace pontoon
