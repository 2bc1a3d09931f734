#include "raft/env/clock.h"

#include <time.h>

#include "raft/base/check.h"

namespace pontoon {
namespace {

class SystemClock final : public Clock {
 public:
  Instant Now() const override {
    timespec now;
    CHECK_EQ(clock_gettime(CLOCK_BOOTTIME, &now), 0);
    return Instant::FromNanos(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
  }
};

}  // namespace

Clock* Clock::System() {
  static SystemClock* const clock = new SystemClock;
  return clock;
}

}  // namespace pontoon
