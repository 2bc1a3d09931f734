#include "raft/env/testing/manual_time.h"

#include <utility>

namespace pontoon {

bool ManualExecutor::RunOne() {
  while (!timers_.empty() && timers_.begin()->first <= clock_->Now()) {
    tasks_.push_back(std::move(timers_.extract(timers_.begin()).mapped()));
  }
  if (tasks_.empty()) return false;
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  std::move(task)();
  return true;
}

bool ManualExecutor::RunDue() {
  bool ran = false;
  while (RunOne()) ran = true;
  return ran;
}

void ManualExecutor::RunFor(absl::Duration time) {
  const Instant end = clock_->Now() + time;
  RunDue();
  while (!timers_.empty() && timers_.begin()->first <= end) {
    clock_->Advance(timers_.begin()->first - clock_->Now());
    RunDue();
  }
  clock_->Advance(end - clock_->Now());
}

void ManualExecutor::DropAll() {
  tasks_.clear();
  timers_.clear();
}

}  // namespace pontoon
