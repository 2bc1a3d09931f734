#include "kv/client/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"

namespace pontoon {
namespace {

using ::testing::ElementsAre;

TEST(EventLoop, RunsTasksInOrderOnOneThread) {
  EventLoop loop;
  std::vector<int> ran;
  std::vector<std::thread::id> threads;
  for (const int i : {1, 2, 3}) {
    loop.Post([&, i] {
      ran.push_back(i);
      threads.push_back(std::this_thread::get_id());
      EXPECT_TRUE(loop.IsCurrent());
    });
  }
  loop.RunAndWait([&] { ran.push_back(4); });
  EXPECT_THAT(ran, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(threads, std::vector<std::thread::id>(3, threads.front()));
  EXPECT_FALSE(loop.IsCurrent());
  loop.Stop();
}

TEST(EventLoop, RunsATaskWhenItsTimeHasCome) {
  EventLoop loop;
  absl::Notification ran;
  const Instant when = EventLoop::After(absl::Milliseconds(5));
  loop.PostAt(when, [&] { ran.Notify(); });
  ran.WaitForNotification();
  EXPECT_GE(EventLoop::Now(), when);
  loop.Stop();
}

TEST(EventLoop, DoesNotWaitForItself) {
  EventLoop loop;
  bool ran = false;
  loop.RunAndWait([&] { loop.RunAndWait([&] { ran = true; }); });
  EXPECT_TRUE(ran);
  loop.Stop();
}

TEST(EventLoop, DropsWhatIsPostedAfterItsEnd) {
  EventLoop loop;
  loop.PostAt(EventLoop::After(EventLoop::kTimeMax), [] { FAIL() << "it is dropped"; });
  loop.Stop();
  loop.Post([] { FAIL() << "it is dropped"; });
  loop.RunAndWait([] { FAIL() << "it is dropped"; });
}

// What is dropped may own something that posts when it goes.
TEST(EventLoop, LetsWhatIsDroppedPost) {
  EventLoop loop;
  bool dropped = false;
  loop.PostAt(EventLoop::After(EventLoop::kTimeMax),
              [notice = absl::MakeCleanup([&] {
                 loop.Post([] { FAIL() << "it is dropped"; });
                 dropped = true;
               })] {});
  loop.Stop();
  EXPECT_TRUE(dropped);
}

}  // namespace
}  // namespace pontoon
