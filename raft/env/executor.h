// Executor: where a node's work runs.

#ifndef PONTOON_RAFT_ENV_EXECUTOR_H_
#define PONTOON_RAFT_ENV_EXECUTOR_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "raft/base/instant.h"

namespace pontoon {

using Task = absl::AnyInvocable<void() &&>;

// Runs tasks one at a time, in the order in which they were posted. Work that shares state without
// locks shares an executor. In a simulation all executors are one event loop.
//
// Thread safety: any thread may post, tasks included. The task, or those of others, may run before
// Post returns: no lock may be held that any of them takes.
class Executor {
 public:
  // Runs nothing more; waits for the task that runs, if any, and drops the others.
  virtual ~Executor() = default;

  virtual void Post(Task task) = 0;

  // Runs `task` at `when` or soon after. It cannot be taken back: a task that finds itself
  // superseded does nothing.
  virtual void PostAt(Instant when, Task task) = 0;
};

// An executor that is a thread, for tasks that wait for the disk or take their time. `name` (at
// most 15 characters) is what top and gdb show.
std::unique_ptr<Executor> NewThreadExecutor(const std::string& name);

// An executor that runs a task on the thread that posts it, if no other thread is at it, for short
// tasks that never wait: spares a wake-up for each. `name` is that of its helper thread, which runs
// the timers, and what piles up.
std::unique_ptr<Executor> NewCombiningExecutor(const std::string& name);

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_EXECUTOR_H_
