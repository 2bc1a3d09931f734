#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon {
namespace {

TEST(CombiningExecutor, AnIdleOneRunsTheTaskOnTheThreadThatPostsIt) {
  auto executor = NewCombiningExecutor("combining");
  std::thread::id ran_on;
  executor->Post([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(CombiningExecutor, ATaskThatPostsIsFinishedFirst) {
  auto executor = NewCombiningExecutor("combining");
  std::vector<int> order;
  executor->Post([&] {
    executor->Post([&] { order.push_back(2); });
    order.push_back(1);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(CombiningExecutor, ManyThreadsNeverRunTwoTasksAtOnceNorLoseOne) {
  auto executor = NewCombiningExecutor("combining");
  constexpr int kThreads = 4, kTasks = 20000;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  int ran = 0;  // no atomic: the executor's order protects it
  absl::Notification all;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTasks; ++i) {
        executor->Post([&] {
          if (inside.fetch_add(1) != 0) overlapped = true;
          if (++ran == kThreads * kTasks) all.Notify();
          inside.fetch_sub(1);
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(all.WaitForNotificationWithTimeout(absl::Seconds(60)));
  EXPECT_FALSE(overlapped);
}

// A poster is not kept for ever by the work of others.
TEST(CombiningExecutor, EndlessWorkIsHandedToTheHelper) {
  auto executor = NewCombiningExecutor("combining");
  std::atomic<bool> stop = false;
  absl::Notification stopped;
  std::function<void()> again = [&] {
    if (stop) {
      stopped.Notify();
    } else {
      executor->Post([&] { again(); });
    }
  };
  executor->Post([&] { again(); });
  stop = true;  // reached only because Post came back
  EXPECT_TRUE(stopped.WaitForNotificationWithTimeout(absl::Seconds(60)));
}

TEST(CombiningExecutor, TimersRunWhenTheyAreDue) {
  auto executor = NewCombiningExecutor("combining");
  const Instant start = Clock::System()->Now();
  Instant ran;
  absl::Notification done;
  executor->PostAt(start + absl::Milliseconds(20), [&] {
    ran = Clock::System()->Now();
    done.Notify();
  });
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(absl::Seconds(60)));
  EXPECT_GE(ran, start + absl::Milliseconds(20));
}

TEST(CombiningExecutor, DestructionDropsWhatDidNotRun) {
  auto executor = NewCombiningExecutor("combining");
  auto owned = std::make_shared<int>(1);
  executor->PostAt(Clock::System()->Now() + absl::Hours(1), [owned] {});
  executor.reset();
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace pontoon
