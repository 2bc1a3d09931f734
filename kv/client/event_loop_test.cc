#include "kv/client/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "kv/client/testing/event_list.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

using ::testing::ElementsAre;

// For what may wait for ever if it is wrong: then the program ends, for no thread can be ended.
void MustEnd(const std::function<void()>& step) {
  absl::Notification ended;
  std::thread thread([&] {
    step();
    ended.Notify();
  });
  CHECK(ended.WaitForNotificationWithTimeout(kPatience)) << "it waits for ever";
  thread.join();
}

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
  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(kPatience));
  EXPECT_GE(EventLoop::Now(), when);
  loop.Stop();
}

TEST(EventLoop, DoesNotWaitForItself) {
  EventLoop loop;
  bool ran = false;
  MustEnd([&] { loop.RunAndWait([&] { loop.RunAndWait([&] { ran = true; }); }); });
  EXPECT_TRUE(ran);
  loop.Stop();
}

TEST(EventLoop, DropsWhatIsPostedAfterItsEnd) {
  EventLoop loop;
  loop.PostAt(EventLoop::After(EventLoop::kTimeMax), [] { FAIL() << "it is dropped"; });
  loop.Stop();
  loop.Post([] { FAIL() << "it is dropped"; });
  MustEnd([&] { loop.RunAndWait([] { FAIL() << "it is dropped"; }); });
}

TEST(EventLoop, IsNotCurrentOnAThreadThatHasItsId) {
  EventLoop loop;
  loop.Stop();
  // The C library gives an id again once its thread has ended.
  std::thread([&] { EXPECT_FALSE(loop.IsCurrent()); }).join();
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
