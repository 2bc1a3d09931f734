// SuccessGaps: the longest time in which nothing succeeded.

#ifndef PONTOON_CMD_PONTOONCTL_SUCCESS_GAPS_H_
#define PONTOON_CMD_PONTOONCTL_SUCCESS_GAPS_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace pontoon::ctl {

// What users see of a change of leader: for so long no client of the benchmark got an answer. Only
// the time until `end` counts, when the clients have no more to send: who then still waits for a
// server that is silent waits alone.
//
// Thread safe. Threads that succeed within a moment of each other may be taken in another order,
// which makes no difference to gaps worth knowing.
class SuccessGaps {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit SuccessGaps(TimePoint start, TimePoint end = TimePoint::max())
      : end_(end), last_(start) {}

  void OnSuccess(TimePoint at) {
    at = std::min(at, end_);
    const int64_t gap = (at - last_.exchange(at, std::memory_order_relaxed)).count();
    int64_t longest = longest_.load(std::memory_order_relaxed);
    while (gap > longest && !longest_.compare_exchange_weak(longest, gap)) {
    }
  }

  // Up to `now`: the last gap may not have been ended by a success.
  absl::Duration Longest(TimePoint now) const {
    const int64_t last = (std::min(now, end_) - last_.load()).count();
    return absl::FromChrono(TimePoint::duration(std::max(last, longest_.load())));
  }

 private:
  const TimePoint end_;
  std::atomic<TimePoint> last_;
  std::atomic<int64_t> longest_ = 0;  // in ticks of the clock
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SUCCESS_GAPS_H_
