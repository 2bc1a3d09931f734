#include "kv/client/hedge_delay.h"

#include <algorithm>

namespace pontoon {

void HedgeDelay::Record(absl::Duration latency) {
  if (fixed_.has_value()) return;
  if (recent_.size() < kRecent) {
    recent_.push_back(latency);
  } else {
    recent_[next_ % kRecent] = latency;
  }
  ++next_;
  // The rank of 95 in 100 moves slowly: a look after every so many reads will do.
  if (next_ % kEnough != 0) return;
  std::vector<absl::Duration> sorted = recent_;
  const auto rank = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() * 95 / 100);
  std::nth_element(sorted.begin(), rank, sorted.end());
  learned_ = std::clamp(*rank, kMin, kMax);
}

}  // namespace pontoon
