// ManualClock and ManualExecutor: time that passes, and work that is done, when a test says so.

#ifndef PONTOON_RAFT_ENV_TESTING_MANUAL_TIME_H_
#define PONTOON_RAFT_ENV_TESTING_MANUAL_TIME_H_

#include <deque>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon {

// Thread safety: one thread.
class ManualClock final : public Clock {
 public:
  Instant Now() const override { return now_; }
  void Advance(absl::Duration by) { now_ = now_ + by; }

 private:
  Instant now_ = Instant::FromNanos(1000000000);
};

// Runs tasks on the thread that tells it to: in the order in which they were posted, a timer from
// the moment on at which it is found to be due. Several executors may share a clock.
//
// Thread safety: one thread.
class ManualExecutor final : public Executor {
 public:
  // Borrows `clock`.
  explicit ManualExecutor(ManualClock* clock) : clock_(clock) {}

  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  void PostAt(Instant when, Task task) override { timers_.emplace(when, std::move(task)); }

  // Runs the next task that is due. False if there is none.
  bool RunOne();
  // Runs what is due, and what that posts, until nothing is left. False if there was nothing.
  bool RunDue();
  // Lets `time` pass, and runs each task when it is due. The other executors of the clock wait.
  void RunFor(absl::Duration time);

  // What is posted never runs.
  void DropAll();

 private:
  ManualClock* const clock_;
  std::deque<Task> tasks_;
  std::multimap<Instant, Task> timers_;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_TESTING_MANUAL_TIME_H_
