// Doorbell: wakes an executor once for many reasons.

#ifndef PONTOON_RAFT_NODE_DOORBELL_H_
#define PONTOON_RAFT_NODE_DOORBELL_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include "raft/env/executor.h"

namespace pontoon::raft {

// Runs a handler on an executor after Ring was called; however often it is called before the
// handler begins, the handler runs once. So a producer puts its work into a mailbox and rings, and
// under load one wake-up serves many producers. What was put into the mailbox before a Ring is seen
// by the run that follows.
//
// Thread safety: all methods may be called from any thread, the handler included.
class Doorbell {
 public:
  // `executor` must live until Close returns; this object until the executor is gone.
  Doorbell(Executor* executor, std::function<void()> handler)
      : executor_(executor), handler_(std::move(handler)) {}

  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  void Ring() {
    if (rung_.exchange(true)) return;
    // Posting under the lock lets Close promise that no more is posted. An executor's Post only
    // queues: it takes no lock of ours and runs nothing.
    std::lock_guard lock(mutex_);
    if (closed_) return;
    executor_->Post([this] {
      rung_.exchange(false);  // a read-modify-write: sees all that came before the ring it answers
      handler_();
    });
  }

  // After this nothing more is posted. A handler that was posted before may still run.
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  Executor* const executor_;
  const std::function<void()> handler_;
  std::atomic<bool> rung_ = false;
  std::mutex mutex_;
  bool closed_ = false;  // guarded by mutex_
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_DOORBELL_H_
