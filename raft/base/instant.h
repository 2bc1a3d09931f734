// Instant: a point on the clock of one node.

#ifndef PONTOON_RAFT_BASE_INSTANT_H_
#define PONTOON_RAFT_BASE_INSTANT_H_

#include <cstdint>
#include <limits>
#include <ostream>

#include "absl/time/time.h"

namespace pontoon {

// A point in time on a clock that never goes back and that runs on while the machine is suspended
// (CLOCK_BOOTTIME, or a simulator's). It means nothing outside the node that read it: it is never
// stored and never sent. The default value lies before every reading of the clock.
class Instant {
 public:
  constexpr Instant() = default;
  static constexpr Instant FromNanos(int64_t nanos) { return Instant(nanos); }
  static constexpr Instant InfinitePast() { return Instant(); }
  static constexpr Instant InfiniteFuture() { return Instant(std::numeric_limits<int64_t>::max()); }

  constexpr int64_t nanos() const { return nanos_; }

  Instant operator+(absl::Duration d) const {
    return Instant(nanos_ + absl::ToInt64Nanoseconds(d));
  }
  Instant operator-(absl::Duration d) const {
    return Instant(nanos_ - absl::ToInt64Nanoseconds(d));
  }
  absl::Duration operator-(Instant other) const { return absl::Nanoseconds(nanos_ - other.nanos_); }

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend std::ostream& operator<<(std::ostream& out, Instant i) { return out << i.nanos_ << "ns"; }

 private:
  constexpr explicit Instant(int64_t nanos) : nanos_(nanos) {}

  int64_t nanos_ = 0;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_INSTANT_H_
