// Dice: the chance of a simulation, from a seed and nothing else.

#ifndef PONTOON_TESTS_SIM_DICE_H_
#define PONTOON_TESTS_SIM_DICE_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "raft/base/prng.h"

namespace pontoon::sim {

// Every part of a simulation throws dice of its own, so that one more throw in one part does not
// change what all others do.
//
// Thread safety: none.
class Dice {
 public:
  explicit Dice(uint64_t seed) : prng_(seed) {}

  uint64_t Next() { return prng_.Next(); }
  uint64_t Below(uint64_t bound) { return prng_.Below(bound); }
  uint64_t Between(uint64_t first, uint64_t last) { return first + Below(last - first + 1); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  bool Percent(uint64_t percent) { return Below(100) < percent; }
  // For chances that are small, in millionths.
  bool PerMillion(uint64_t millionths) { return Below(1000000) < millionths; }

  absl::Duration Between(absl::Duration first, absl::Duration last) {
    return absl::Nanoseconds(
        static_cast<int64_t>(Between(static_cast<uint64_t>(absl::ToInt64Nanoseconds(first)),
                                     static_cast<uint64_t>(absl::ToInt64Nanoseconds(last)))));
  }
  // Mostly near `least`, seldom near `most`: as times in computers are.
  absl::Duration Skewed(absl::Duration least, absl::Duration most) {
    const uint64_t unit = uint64_t{1} << 16;
    uint64_t share = Below(unit);
    share = share * share / unit;
    share = share * share / unit;
    const auto span = static_cast<uint64_t>(absl::ToInt64Nanoseconds(most - least));
    return least + absl::Nanoseconds(static_cast<int64_t>(span / unit * share));
  }

  uint64_t Skewed(uint64_t least, uint64_t most) {
    const absl::Duration span = absl::Nanoseconds(static_cast<int64_t>(most - least));
    return least +
           static_cast<uint64_t>(absl::ToInt64Nanoseconds(Skewed(absl::ZeroDuration(), span)));
  }

  template <size_t kSize, typename T>
  const T& Pick(const T (&choices)[kSize]) {
    return choices[Below(kSize)];
  }

 private:
  Prng prng_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_DICE_H_
