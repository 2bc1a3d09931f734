#include "cmd/pontoonctl/deadline.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace pontoon::ctl {

Deadline Deadline::After(absl::Duration duration) {
  return Deadline(Clock::now() + absl::ToChronoNanoseconds(duration));
}

absl::Duration Deadline::Remaining() const {
  return std::max(absl::FromChrono(at_ - Clock::now()), absl::ZeroDuration());
}

Deadline Deadline::ButWithin(absl::Duration duration) const {
  const Deadline other = After(duration);
  return at_ < other.at_ ? *this : other;
}

gpr_timespec Deadline::ToGpr() const {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(Remaining()), GPR_TIMESPAN));
}

bool Backoff::Pause() {
  if (deadline_.Passed()) return false;
  absl::SleepFor(std::min(next_, deadline_.Remaining()));
  next_ = std::min(next_ * 2, longest_);
  return true;
}

}  // namespace pontoon::ctl
