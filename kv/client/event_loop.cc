#include "kv/client/event_loop.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "raft/base/check.h"
#include "raft/env/clock.h"

namespace pontoon {

EventLoop::EventLoop() : executor_(NewThreadExecutor("pontoon-client")) {
  absl::Notification known;
  executor_->Post([&] {
    thread_ = std::this_thread::get_id();
    known.Notify();
  });
  known.WaitForNotification();
}

void EventLoop::Post(Task task) {
  absl::MutexLock lock(&mutex_);
  if (!stopped_) executor_->Post(std::move(task));
}

void EventLoop::PostAt(Instant when, Task task) {
  absl::MutexLock lock(&mutex_);
  if (!stopped_) executor_->PostAt(when, std::move(task));
}

void EventLoop::RunAndWait(absl::FunctionRef<void()> task) {
  if (IsCurrent()) return task();
  absl::Notification over;
  // A task that is dropped is over as well.
  Post([&task, notify = absl::MakeCleanup([&over] { over.Notify(); })] { task(); });
  over.WaitForNotification();
}

void EventLoop::Stop() {
  CHECK(!IsCurrent()) << "a client cannot be destroyed by one of its own callbacks";
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  executor_ = nullptr;
}

Instant EventLoop::Now() { return Clock::System()->Now(); }

Instant EventLoop::After(absl::Duration delay) {
  return Now() + std::clamp(delay, absl::ZeroDuration(), kTimeMax);
}

}  // namespace pontoon
