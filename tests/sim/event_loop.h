// EventLoop: the time of a simulation, and everything that happens in it.

#ifndef PONTOON_TESTS_SIM_EVENT_LOOP_H_
#define PONTOON_TESTS_SIM_EVENT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/strong_int.h"
#include "raft/env/executor.h"
#include "tests/sim/dice.h"

namespace pontoon::sim {

// Nanoseconds since the begin of the simulation, on a clock that nobody in it can read.
using SimTime = StrongInt<struct SimTimeTag, int64_t>;

inline SimTime operator+(SimTime time, absl::Duration d) {
  return SimTime(time.value() + absl::ToInt64Nanoseconds(d));
}
inline absl::Duration Since(SimTime begin, SimTime end) {
  return absl::Nanoseconds(end.value() - begin.value());
}

// Runs events in the order of their times. Events of the same time run in an order that the seed
// draws: nothing may depend on who was first to ask. Time passes only between events.
//
// Thread safety: none; everything runs in the thread that calls RunUntil.
class EventLoop {
 public:
  explicit EventLoop(uint64_t seed) : dice_(seed) {}

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  SimTime now() const { return now_; }
  uint64_t events_run() const { return events_run_; }

  // Runs `task` at `when`; in the past means now.
  void At(SimTime when, Task task);
  void After(absl::Duration delay, Task task) { At(now_ + delay, std::move(task)); }

  // Runs the next event. False if there is none.
  bool RunNext();
  // Runs all events up to `end`, and lets the time be `end`.
  void RunUntil(SimTime end);

  // The digest of the run so far: of the times and the order of all events, and of what was noted.
  uint64_t digest() const { return digest_; }
  void Note(uint64_t word);

 private:
  // Small, so that the heap moves little; the task itself stays where it is.
  struct Event {
    SimTime when;
    uint64_t tie;
    size_t slot;
  };
  static bool Later(const Event& a, const Event& b) {
    return a.when != b.when ? a.when > b.when : a.tie > b.tie;
  }

  Dice dice_;
  SimTime now_;
  uint64_t events_run_ = 0;
  uint64_t digest_ = 0;
  std::vector<Event> heap_;
  std::vector<Task> tasks_;         // by slot
  std::vector<size_t> free_slots_;  // of tasks_
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_EVENT_LOOP_H_
