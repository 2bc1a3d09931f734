// Deadline and Backoff: how long a command may take, and how often it tries.

#ifndef PONTOON_CMD_PONTOONCTL_DEADLINE_H_
#define PONTOON_CMD_PONTOONCTL_DEADLINE_H_

#include <grpc/support/time.h>

#include <chrono>

#include "absl/time/time.h"

namespace pontoon::ctl {

// A point of time on the monotonic clock, so that setting the machine's clock does not move it.
class Deadline {
 public:
  // With an infinite duration it does not pass.
  static Deadline After(absl::Duration duration);

  // Zero once it has passed.
  absl::Duration Remaining() const;

  bool Passed() const { return Remaining() == absl::ZeroDuration(); }

  // This deadline or `duration` from now, whichever is first.
  Deadline ButWithin(absl::Duration duration) const;

  // So much after this one.
  Deadline Later(absl::Duration duration) const;

  // As gRPC takes it.
  gpr_timespec ToGpr() const;

 private:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(Clock::time_point at) : at_(at) {}

  Clock::time_point at_;
};

// The pauses between attempts: each is twice as long as the one before it, up to a bound, and none
// goes beyond the deadline.
class Backoff {
 public:
  struct Limits {
    absl::Duration first = absl::Milliseconds(25);
    absl::Duration longest = absl::Milliseconds(500);
  };

  explicit Backoff(Deadline deadline) : Backoff(deadline, Limits()) {}
  Backoff(Deadline deadline, Limits limits)
      : deadline_(deadline), next_(limits.first), longest_(limits.longest) {}

  // Sleeps for the next pause. False, at once, if the deadline has passed: give up.
  bool Pause();

  const Deadline& deadline() const { return deadline_; }

 private:
  Deadline deadline_;
  absl::Duration next_;
  absl::Duration longest_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_DEADLINE_H_
