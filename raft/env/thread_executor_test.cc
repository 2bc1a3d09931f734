#include <gtest/gtest.h>
#include <pthread.h>

#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon {
namespace {

// Waits until everything that was posted before has run.
void Drain(Executor* executor) {
  std::latch done(1);
  executor->Post([&] { done.count_down(); });
  done.wait();
}

TEST(ThreadExecutor, RunsTasksInTheOrderOfPosting) {
  auto executor = NewThreadExecutor("test");
  std::vector<int> ran;
  for (int i = 0; i < 1000; ++i) executor->Post([&ran, i] { ran.push_back(i); });
  Drain(executor.get());
  ASSERT_EQ(ran.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[i], i);
}

TEST(ThreadExecutor, ManyThreadsMayPost) {
  auto executor = NewThreadExecutor("test");
  int count = 0;  // touched by the executor's thread only
  std::latch left(4000);
  std::vector<std::thread> posters;
  for (int t = 0; t < 4; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        executor->Post([&] {
          ++count;
          left.count_down();
        });
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  left.wait();
  Drain(executor.get());
  EXPECT_EQ(count, 4000);
}

TEST(ThreadExecutor, ATaskMayPost) {
  auto executor = NewThreadExecutor("test");
  std::latch done(1);
  executor->Post([&] { executor->Post([&] { done.count_down(); }); });
  done.wait();
}

TEST(ThreadExecutor, TimersRunInTheOrderOfTheirTimes) {
  auto executor = NewThreadExecutor("test");
  std::vector<int> ran;
  std::latch done(1);
  const Instant start = Clock::System()->Now();
  // All posted from one task, so that none is due before the last one is there.
  executor->Post([&] {
    executor->PostAt(start + absl::Milliseconds(6), [&] {
      ran.push_back(3);
      done.count_down();
    });
    executor->PostAt(start + absl::Milliseconds(2), [&] { ran.push_back(1); });
    executor->PostAt(start + absl::Milliseconds(2), [&] { ran.push_back(2); });
    executor->PostAt(Instant::InfinitePast(), [&] { ran.push_back(0); });
  });
  done.wait();
  EXPECT_GE(Clock::System()->Now() - start, absl::Milliseconds(6));
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3}));
}

TEST(ThreadExecutor, AnEarlierTimerCutsTheSleepForALaterOneShort) {
  auto executor = NewThreadExecutor("test");
  executor->PostAt(Clock::System()->Now() + absl::Hours(24 * 365), [] { FAIL(); });
  executor->PostAt(Instant::InfiniteFuture(), [] { FAIL(); });
  Drain(executor.get());
  std::latch done(1);
  executor->PostAt(Clock::System()->Now() + absl::Milliseconds(1), [&] { done.count_down(); });
  done.wait();
}

// Whether `executor` is being destroyed: it drops what is posted then, and what the task owns.
bool DropsTasks(Executor* executor) {
  auto token = std::make_shared<int>();
  executor->Post([token] { FAIL() << "posted behind the last task"; });
  return token.use_count() == 1;
}

TEST(ThreadExecutor, TheDestructorWaitsForTheRunningTaskAndDropsTheOthers) {
  auto executor = NewThreadExecutor("test");
  std::latch running(1);
  bool finished = false;
  auto token = std::make_shared<int>();
  executor->Post([&, self = executor.get()] {
    running.count_down();
    while (!DropsTasks(self)) std::this_thread::yield();
    finished = true;
  });
  executor->PostAt(Instant::InfinitePast(), [token] { FAIL() << "due, but too late"; });
  running.wait();
  executor.reset();
  EXPECT_TRUE(finished);
  EXPECT_EQ(token.use_count(), 1);
}

// Posts when it is destroyed, as a callback does that reports "never ran".
class PostsOnDestruction {
 public:
  explicit PostsOnDestruction(Executor* executor) : executor_(executor) {}
  ~PostsOnDestruction() {
    executor_->Post([] {});
  }

 private:
  Executor* executor_;
};

TEST(ThreadExecutor, ADroppedTaskMayPostWhenItIsDestroyed) {
  auto executor = NewThreadExecutor("test");
  executor->PostAt(Instant::InfiniteFuture(),
                   [owned = std::make_unique<PostsOnDestruction>(executor.get())] {});
  executor.reset();
}

TEST(ThreadExecutor, TheThreadHasTheName) {
  auto executor = NewThreadExecutor("exactly15-chars");
  char name[16] = "";
  executor->Post([&] { pthread_getname_np(pthread_self(), name, sizeof(name)); });
  Drain(executor.get());
  EXPECT_STREQ(name, "exactly15-chars");
}

TEST(ThreadExecutorDeathTest, ANameThatIsTooLongIsAnError) {
  EXPECT_DEATH(NewThreadExecutor("sixteen-charact."), "sixteen-charact");
}

}  // namespace
}  // namespace pontoon
