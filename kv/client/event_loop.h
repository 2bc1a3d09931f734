// EventLoop: the one thread on which a client does everything.

#ifndef PONTOON_KV_CLIENT_EVENT_LOOP_H_
#define PONTOON_KV_CLIENT_EVENT_LOOP_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/env/executor.h"

namespace pontoon {

// An executor that can end while other threads, those of gRPC, still post to it: what they post is
// dropped then.
//
// Thread safety: all methods may be called from any thread, but Stop not from the loop's own.
class EventLoop {
 public:
  // Longer times are as good as for ever.
  static constexpr absl::Duration kTimeMax = absl::Hours(24 * 365);

  EventLoop();
  // Stop must have been called.
  ~EventLoop() = default;

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs `task` soon, after those that were posted before.
  void Post(Task task);
  void PostAt(Instant when, Task task);

  // Runs `task` and waits for its end; at once, on the loop itself. If the loop stops, perhaps not.
  void RunAndWait(absl::FunctionRef<void()> task);

  // Whether the caller is a task.
  bool IsCurrent() const;

  // Runs nothing more; waits for the task that runs. Whoever waits in RunAndWait goes on.
  void Stop();

  static Instant Now();
  // Now, and so much later.
  static Instant After(absl::Duration delay);

 private:
  // Posts are made under the mutex, so that none is under way when Stop ends the executor. (An
  // executor that is a thread runs nothing before Post returns.)
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Executor> executor_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_EVENT_LOOP_H_
