#include "tests/sim/event_loop.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/process.h"

namespace pontoon::sim {
namespace {

std::string OrderOfTen(uint64_t seed) {
  EventLoop loop(seed);
  std::string order;
  for (char name = '0'; name <= '9'; ++name) {
    loop.At(SimTime(5), [&order, name] { order += name; });
  }
  loop.RunUntil(SimTime(5));
  return order;
}

TEST(EventLoopTest, RunsEventsInTheOrderOfTheirTimes) {
  EventLoop loop(1);
  std::vector<int64_t> times;
  for (const int64_t time : {30, 10, 20}) {
    loop.At(SimTime(time), [&] { times.push_back(loop.now().value()); });
  }
  loop.RunUntil(SimTime(25));
  EXPECT_EQ(times, (std::vector<int64_t>{10, 20}));
  EXPECT_EQ(loop.now(), SimTime(25));
  EXPECT_TRUE(loop.RunNext());
  EXPECT_EQ(loop.now(), SimTime(30));
  EXPECT_FALSE(loop.RunNext());
}

TEST(EventLoopTest, ThePastIsNow) {
  EventLoop loop(1);
  loop.RunUntil(SimTime(100));
  int64_t ran = 0;
  loop.At(SimTime(50), [&] { ran = loop.now().value(); });
  loop.RunNext();
  EXPECT_EQ(ran, 100);
}

TEST(EventLoopTest, TheSeedDrawsTheOrderAtTheSameTime) {
  EXPECT_EQ(OrderOfTen(1), OrderOfTen(1));
  EXPECT_NE(OrderOfTen(1), OrderOfTen(2));
  EXPECT_NE(OrderOfTen(1), "0123456789");
}

TEST(EventLoopTest, TheDigestTellsRunsApart) {
  const auto digest = [](uint64_t seed, int64_t time) {
    EventLoop loop(seed);
    loop.At(SimTime(time), [] {});
    loop.RunUntil(SimTime(10));
    return loop.digest();
  };
  EXPECT_EQ(digest(1, 5), digest(1, 5));
  EXPECT_NE(digest(1, 5), digest(1, 6));
  EXPECT_NE(digest(1, 5), digest(2, 5));
}

TEST(EventLoopTest, EventsMayMakeEvents) {
  EventLoop loop(1);
  int count = 0;
  std::function<void()> again = [&] {
    if (++count < 100) loop.After(absl::Nanoseconds(1), again);
  };
  loop.After(absl::ZeroDuration(), again);
  loop.RunUntil(SimTime(99));
  EXPECT_EQ(count, 100);
}

TEST(VirtualClockTest, IsOffByItsError) {
  EventLoop loop(1);
  const VirtualClock clock(&loop, {.offset = absl::Seconds(7), .rate_ppm = 1000});
  EXPECT_EQ(clock.Now(), Instant::FromNanos(7000000000));
  loop.RunUntil(SimTime(1000000000));
  EXPECT_EQ(clock.Now(), Instant::FromNanos(8001000000));
}

TEST(VirtualClockTest, FindsTheFirstTimeOfAReading) {
  EventLoop loop(1);
  for (const int64_t rate_ppm : {-300000, -1234, -1, 0, 1, 777, 500000}) {
    const VirtualClock clock(&loop, {.offset = absl::Seconds(3), .rate_ppm = rate_ppm});
    for (const int64_t time : {0, 1, 999, 1000000, 123456789, 987654321}) {
      const SimTime found = clock.TimeOf(clock.At(SimTime(time)));
      EXPECT_EQ(clock.At(found), clock.At(SimTime(time))) << rate_ppm << " " << time;
      if (found > SimTime()) {
        EXPECT_LT(clock.At(found - 1), clock.At(found));
      }
    }
  }
}

class ProcessTest : public ::testing::Test {
 protected:
  std::unique_ptr<Executor> NewExecutor() {
    return process_.NewExecutor("test", [] { return absl::Nanoseconds(10); });
  }

  EventLoop loop_{1};
  VirtualClock clock_{&loop_, {}};
  Process process_{&loop_, &clock_};
  std::string order_;
};

TEST_F(ProcessTest, RunsTasksInOrderAndOneAtATime) {
  const auto executor = NewExecutor();
  executor->Post([&] {
    executor->Post([&] { order_ += "c"; });
    order_ += "a";
  });
  executor->Post([&] { order_ += "b"; });
  EXPECT_EQ(order_, "");
  loop_.RunUntil(SimTime(20));
  EXPECT_EQ(order_, "ab");
  loop_.RunUntil(SimTime(30));
  EXPECT_EQ(order_, "abc");
}

TEST_F(ProcessTest, RunsTimersOnTheMachinesClock) {
  const auto executor = NewExecutor();
  executor->PostAt(clock_.Now() + absl::Nanoseconds(100), [&] { order_ += "t"; });
  loop_.RunUntil(SimTime(109));
  EXPECT_EQ(order_, "");
  loop_.RunUntil(SimTime(110));
  EXPECT_EQ(order_, "t");
}

TEST_F(ProcessTest, APauseDelaysAndLosesNothing) {
  const auto executor = NewExecutor();
  executor->Post([&] { order_ += "a"; });
  executor->PostAt(clock_.Now() + absl::Nanoseconds(50), [&] { order_ += "b"; });
  process_.Pause();
  executor->Post([&] { order_ += "c"; });
  loop_.RunUntil(SimTime(1000));
  EXPECT_EQ(order_, "");
  process_.Resume();
  loop_.RunUntil(SimTime(2000));
  EXPECT_EQ(order_, "acb");
}

TEST_F(ProcessTest, TheDeadDoNothing) {
  const auto executor = NewExecutor();
  executor->Post([&] { order_ += "a"; });
  process_.Die();
  executor->Post([&] { order_ += "b"; });
  loop_.RunUntil(SimTime(1000));
  EXPECT_EQ(order_, "");
}

TEST_F(ProcessTest, AnExecutorDropsItsTasksWhenItEnds) {
  auto executor = NewExecutor();
  executor->Post([&] { order_ += "a"; });
  executor->PostAt(clock_.Now() + absl::Nanoseconds(50), [&] { order_ += "b"; });
  executor.reset();
  loop_.RunUntil(SimTime(1000));
  EXPECT_EQ(order_, "");
}

TEST_F(ProcessTest, SaysWhatRuns) {
  const auto executor = NewExecutor();
  executor->Post([&] { order_ = process_.running(); });
  loop_.RunUntil(SimTime(10));
  EXPECT_EQ(order_, "test");
  EXPECT_STREQ(process_.running(), "");
}

}  // namespace
}  // namespace pontoon::sim
