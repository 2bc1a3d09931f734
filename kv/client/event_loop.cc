#include "kv/client/event_loop.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "raft/base/check.h"
#include "raft/env/clock.h"

namespace pontoon {
namespace {

// The loop whose thread this is, if any. (The id of a thread does not tell: once the loop has
// stopped, another thread may have it.)
thread_local const EventLoop* current_loop = nullptr;

}  // namespace

EventLoop::EventLoop() : executor_(NewThreadExecutor("pontoon-client")) {
  executor_->Post([this] { current_loop = this; });
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

bool EventLoop::IsCurrent() const { return current_loop == this; }

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
