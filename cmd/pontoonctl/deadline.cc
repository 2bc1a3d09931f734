#include "cmd/pontoonctl/deadline.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace pontoon::ctl {
namespace {

// Stands for ever; a point of time so far away can still be calculated with.
constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 100);

}  // namespace

Deadline Deadline::After(absl::Duration duration) {
  return Deadline(Clock::now() + absl::ToChronoNanoseconds(std::min(duration, kLongest)));
}

absl::Duration Deadline::Remaining() const {
  return std::max(absl::FromChrono(at_ - Clock::now()), absl::ZeroDuration());
}

Deadline Deadline::ButWithin(absl::Duration duration) const {
  const Deadline other = After(duration);
  return at_ < other.at_ ? *this : other;
}

Deadline Deadline::Later(absl::Duration duration) const {
  return Deadline(at_ + absl::ToChronoNanoseconds(duration));
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
