#include "kv/monitor/survey_feed.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1);

TEST(SurveyFeed, ASurveyServesAllForAPeriod) {
  ManualClock clock;
  int taken = 0;
  SurveyFeed feed([&] { return absl::StrCat(++taken); }, kPeriod, &clock);
  EXPECT_EQ(taken, 0);  // while nobody asks
  EXPECT_EQ(*feed.Next(0)->json, "1");
  EXPECT_EQ(*feed.Next(0)->json, "1");
  clock.Advance(kPeriod - absl::Milliseconds(1));
  EXPECT_EQ(*feed.Next(0)->json, "1");
  clock.Advance(absl::Milliseconds(1));
  const auto item = feed.Next(0);
  EXPECT_EQ(*item->json, "2");
  EXPECT_EQ(item->number, 2u);
}

TEST(SurveyFeed, WhoHasSeenOneGetsTheNext) {
  constexpr absl::Duration kShort = absl::Milliseconds(5);
  int taken = 0;
  SurveyFeed feed([&] { return absl::StrCat(++taken); }, kShort, Clock::System());
  uint64_t seen = 0;
  const Instant begun = Clock::System()->Now();
  for (int i = 1; i <= 3; ++i) {
    const auto item = feed.Next(seen);
    EXPECT_EQ(*item->json, absl::StrCat(i));
    EXPECT_GT(item->number, seen);
    seen = item->number;
  }
  EXPECT_GE(Clock::System()->Now() - begun, 2 * kShort);
}

TEST(SurveyFeed, OthersWaitForTheOneWhoTakesIt) {
  ManualClock clock;
  absl::Notification begun, go_on;
  int taken = 0;
  SurveyFeed feed(
      [&] {
        begun.Notify();
        go_on.WaitForNotification();
        return absl::StrCat(++taken);
      },
      kPeriod, &clock);
  std::string first, second;
  std::thread taker([&] { first = *feed.Next(0)->json; });
  begun.WaitForNotification();
  std::thread other([&] { second = *feed.Next(0)->json; });
  go_on.Notify();
  taker.join();
  other.join();
  EXPECT_EQ(first, "1");
  EXPECT_EQ(second, "1");  // a second one would have ended the test: begun is notified once
}

TEST(SurveyFeed, AStopSendsEverybodyAway) {
  ManualClock clock;  // stands still: the next survey is never due
  SurveyFeed feed([] { return std::string("only"); }, absl::Hours(1), &clock);
  const uint64_t seen = feed.Next(0)->number;
  bool got_something = true;
  std::thread waiting([&] { got_something = feed.Next(seen).has_value(); });
  feed.Stop();
  waiting.join();
  EXPECT_FALSE(got_something);
  EXPECT_FALSE(feed.Next(0).has_value());
}

}  // namespace
}  // namespace pontoon::kv
