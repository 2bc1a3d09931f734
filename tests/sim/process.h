// Process: one life of a server's process, with its executors and its view of time.

#ifndef PONTOON_TESTS_SIM_PROCESS_H_
#define PONTOON_TESTS_SIM_PROCESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "tests/sim/event_loop.h"

namespace pontoon::sim {

// A machine's clock: it began somewhere, and runs a little too fast or too slowly.
//
// Thread safety: none.
class VirtualClock final : public Clock {
 public:
  struct Error {
    absl::Duration offset = absl::Seconds(1);  // what it showed at the begin; more than 0
    int64_t rate_ppm = 0;                      // parts per million; above -1000000
  };

  VirtualClock(const EventLoop* loop, Error error) : loop_(loop), error_(error) {}

  Instant Now() const override { return At(loop_->now()); }
  Instant At(SimTime time) const;
  // The first time at which this clock shows `reading` or more.
  SimTime TimeOf(Instant reading) const;

 private:
  const EventLoop* const loop_;
  const Error error_;
};

// How long the next task of an executor waits for the processor, or for what it needs: a disk. The
// task then takes no time: what is posted meanwhile is there when it begins, and a crash before it
// is a crash before all of it. (A crash in the middle is the disk's part: see
// FaultyFileSystem::CutPowerAfter.)
using Pace = std::function<absl::Duration()>;

// Executors of one process stop together. While it is paused nothing of it runs, and what is due
// waits; once it is dead nothing of it will ever run.
//
// Ownership: must outlive the executors that it made.
//
// Thread safety: none.
class Process {
 public:
  Process(EventLoop* loop, const VirtualClock* clock) : loop_(loop), clock_(clock) {}

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // `name` is what running() says while a task of the executor runs.
  std::unique_ptr<Executor> NewExecutor(const char* name, Pace pace);

  bool dead() const { return dead_; }
  bool paused() const { return paused_; }
  const char* running() const { return running_; }

  void Die() { dead_ = true; }
  void Pause() { paused_ = true; }
  void Resume();

 private:
  class Lane;
  class LaneExecutor;

  EventLoop* const loop_;
  const VirtualClock* const clock_;
  std::vector<std::shared_ptr<Lane>> lanes_;
  bool dead_ = false;
  bool paused_ = false;
  const char* running_ = "";
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_PROCESS_H_
