#include "raft/env/testing/manual_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pontoon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr absl::Duration kSecond = absl::Seconds(1);

class ManualTimeTest : public ::testing::Test {
 protected:
  // Notes its name, and how much time has passed.
  Task Note(std::string name) {
    return [this, name = std::move(name)] { ran_.emplace_back(name, clock_.Now() - begin_); };
  }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  const Instant begin_ = clock_.Now();
  std::vector<std::pair<std::string, absl::Duration>> ran_;
};

TEST_F(ManualTimeTest, RunsInTheOrderOfPosting) {
  executor_.Post([this] { executor_.Post(Note("third")); });
  executor_.Post(Note("second"));
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_THAT(ran_, IsEmpty());
  EXPECT_TRUE(executor_.RunDue());
  EXPECT_THAT(ran_, ElementsAre(Pair("second", 0 * kSecond), Pair("third", 0 * kSecond)));
  EXPECT_FALSE(executor_.RunDue());
  EXPECT_FALSE(executor_.RunOne());
}

TEST_F(ManualTimeTest, ATimerWaitsForTheClock) {
  executor_.PostAt(begin_ + kSecond, Note("timer"));
  clock_.Advance(kSecond - absl::Nanoseconds(1));
  EXPECT_FALSE(executor_.RunDue());
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(executor_.RunDue());
  EXPECT_THAT(ran_, ElementsAre(Pair("timer", kSecond)));
}

TEST_F(ManualTimeTest, RunForRunsEachAtItsTime) {
  executor_.PostAt(begin_ + 2 * kSecond, Note("b"));
  executor_.PostAt(begin_ + kSecond, [this] {
    Note("a")();
    executor_.PostAt(begin_ + 3 * kSecond, Note("c"));
  });
  executor_.PostAt(begin_ + 4 * kSecond, Note("too late"));
  executor_.RunFor(3 * kSecond);
  EXPECT_THAT(ran_,
              ElementsAre(Pair("a", kSecond), Pair("b", 2 * kSecond), Pair("c", 3 * kSecond)));
  EXPECT_EQ(clock_.Now(), begin_ + 3 * kSecond);
  executor_.RunFor(kSecond / 2);
  EXPECT_EQ(clock_.Now(), begin_ + 3 * kSecond + kSecond / 2);
}

TEST_F(ManualTimeTest, WhatIsDroppedNeverRuns) {
  executor_.Post(Note("task"));
  executor_.PostAt(begin_ + kSecond, Note("timer"));
  executor_.DropAll();
  executor_.RunFor(2 * kSecond);
  EXPECT_THAT(ran_, IsEmpty());
}

}  // namespace
}  // namespace pontoon
