// BenchSchedule: which operation of a benchmark is next, when it is due, and when it is over.

#ifndef PONTOON_CMD_PONTOONCTL_BENCH_SCHEDULE_H_
#define PONTOON_CMD_PONTOONCTL_BENCH_SCHEDULE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace pontoon::ctl {

// Hands out the operations of one phase. Without a rate they are due at once. With one, operation i
// is due at i / rate after the start, no matter how the servers keep up: its latency is to be
// counted from then. (If it were counted from the sending, a server that stalls would slow the
// clients down and so hide the stall: "coordinated omission".)
//
// Thread safe.
class BenchSchedule {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    // Operations in all; not set: no bound.
    std::optional<uint64_t> total = {};
    // After so long no operation is handed out any more.
    absl::Duration duration = absl::InfiniteDuration();
    // Not set: as fast as they are answered.
    std::optional<double> rate_per_second = {};
  };

  struct Operation {
    uint64_t index;
    // Not set: whenever it is sent.
    std::optional<Clock::time_point> due = {};
  };

  BenchSchedule(const Limits& limits, Clock::time_point start);

  // The next operation; none once the phase is over.
  std::optional<Operation> Next(Clock::time_point now);

  // When it is over by the clock; time_point::max() if only a total ends it.
  Clock::time_point end() const { return end_; }

 private:
  const Limits limits_;
  const Clock::time_point start_;
  const Clock::time_point end_;
  std::atomic<uint64_t> next_index_ = 0;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_BENCH_SCHEDULE_H_
