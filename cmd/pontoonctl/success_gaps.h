// SuccessGaps: the longest time in which nothing succeeded.

#ifndef PONTOON_CMD_PONTOONCTL_SUCCESS_GAPS_H_
#define PONTOON_CMD_PONTOONCTL_SUCCESS_GAPS_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"

namespace pontoon::ctl {

// What users see of a change of leader: for so long no client of the benchmark got an answer.
//
// Thread safe. Threads that succeed within a moment of each other may be taken in another order,
// which makes no difference to gaps worth knowing.
class SuccessGaps {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit SuccessGaps(TimePoint start) : last_(start) {}

  void OnSuccess(TimePoint at) {
    const int64_t gap = (at - last_.exchange(at, std::memory_order_relaxed)).count();
    int64_t longest = longest_.load(std::memory_order_relaxed);
    while (gap > longest && !longest_.compare_exchange_weak(longest, gap)) {
    }
  }

  // Up to `end`: the last gap may not have been ended by a success.
  absl::Duration Longest(TimePoint end) const {
    const int64_t last = (end - last_.load()).count();
    return absl::FromChrono(TimePoint::duration(std::max(last, longest_.load())));
  }

 private:
  std::atomic<TimePoint> last_;
  std::atomic<int64_t> longest_ = 0;  // in ticks of the clock
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SUCCESS_GAPS_H_
