#include "kv/client/backoff.h"

#include <algorithm>
#include <utility>

namespace pontoon {

absl::Duration Backoff::Next() {
  constexpr int64_t kSteps = 1024;  // of chance
  const absl::Duration pause = std::exchange(pause_, std::min(pause_ * 2, options_.longest));
  return pause / 2 + pause / 2 * static_cast<int64_t>(prng_.Below(kSteps + 1)) / kSteps;
}

}  // namespace pontoon
