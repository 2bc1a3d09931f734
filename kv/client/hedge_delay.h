// HedgeDelay: how long a read waits for one member before it also asks another.

#ifndef PONTOON_KV_CLIENT_HEDGE_DELAY_H_
#define PONTOON_KV_CLIENT_HEDGE_DELAY_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/time/time.h"

namespace pontoon {

// Either a fixed time, or what 95 of 100 recent reads needed: then about one read in twenty asks a
// second member, whatever the network is like. (Dean, Barroso: "The Tail at Scale", 2013.)
//
// Thread safety: none.
class HedgeDelay {
 public:
  // Reads that are looked back upon.
  static constexpr size_t kRecent = 128;
  // With fewer there is no telling, and the delay is kFirst.
  static constexpr size_t kEnough = 16;
  static constexpr absl::Duration kFirst = absl::Milliseconds(100);
  // Bounds on what is learned: reads from memory shall not race for microseconds, nor does a time
  // of trouble teach to wait for long.
  static constexpr absl::Duration kMin = absl::Milliseconds(2);
  static constexpr absl::Duration kMax = absl::Seconds(1);

  explicit HedgeDelay(std::optional<absl::Duration> fixed) : fixed_(fixed) {}

  // A read took so long, from its first sending to the answer, whoever gave it.
  void Record(absl::Duration latency);

  absl::Duration Get() const { return fixed_.value_or(learned_); }

 private:
  const std::optional<absl::Duration> fixed_;
  std::vector<absl::Duration> recent_;  // a ring, once it is full
  size_t next_ = 0;
  absl::Duration learned_ = kFirst;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_HEDGE_DELAY_H_
