// Doorbell: wakes an executor once for many reasons.

#ifndef PONTOON_RAFT_ENV_DOORBELL_H_
#define PONTOON_RAFT_ENV_DOORBELL_H_

#include <atomic>
#include <functional>
#include <utility>

#include "raft/base/instant.h"
#include "raft/env/executor.h"

namespace pontoon {

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
    UnlessClosed([this] { executor_->Post(Answer(&rung_)); });
  }

  // Rings at `when` or soon after. While one such ring is yet to come another one is not added: it
  // should not be wanted earlier.
  void RingAt(Instant when) {
    if (timer_set_.exchange(true)) return;
    UnlessClosed([this, when] { executor_->PostAt(when, Answer(&timer_set_)); });
  }

  // After this nothing more is posted. A handler that was posted before may still run. Not to be
  // called by a handler.
  void Close() {
    closed_ = true;
    for (int ringing = ringing_; ringing != 0; ringing = ringing_) ringing_.wait(ringing);
  }

 private:
  Task Answer(std::atomic<bool>* ring) {
    return [this, ring] {
      ring->exchange(false);  // a read-modify-write: sees all that came before the ring it answers
      handler_();
    };
  }

  template <typename Post>
  void UnlessClosed(Post post) {
    ringing_.fetch_add(1);
    if (!closed_) post();
    if (ringing_.fetch_sub(1) == 1) ringing_.notify_all();
  }

  Executor* const executor_;
  const std::function<void()> handler_;
  std::atomic<bool> rung_ = false;
  std::atomic<bool> timer_set_ = false;
  std::atomic<bool> closed_ = false;
  std::atomic<int> ringing_ = 0;  // threads inside of UnlessClosed; changes before closed_ is read
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_DOORBELL_H_
