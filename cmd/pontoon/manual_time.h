// ManualTime: a clock and an executor for tests, in which time passes when the test says so.

#ifndef PONTOON_CMD_PONTOON_MANUAL_TIME_H_
#define PONTOON_CMD_PONTOON_MANUAL_TIME_H_

#include <map>
#include <utility>

#include "absl/time/time.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon {

// Thread safety: one thread.
class ManualTime final : public Clock, public Executor {
 public:
  Instant Now() const override { return now_; }
  void Post(Task task) override { PostAt(now_, std::move(task)); }
  void PostAt(Instant when, Task task) override { tasks_.emplace(when, std::move(task)); }

  // Runs the tasks that are due by then, each at its time.
  void Advance(absl::Duration time) {
    const Instant end = now_ + time;
    while (!tasks_.empty() && tasks_.begin()->first <= end) {
      now_ = tasks_.begin()->first;
      Task task = std::move(tasks_.begin()->second);
      tasks_.erase(tasks_.begin());
      std::move(task)();
    }
    now_ = end;
  }
  void RunDue() { Advance(absl::ZeroDuration()); }

 private:
  Instant now_;
  std::multimap<Instant, Task> tasks_;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_MANUAL_TIME_H_
