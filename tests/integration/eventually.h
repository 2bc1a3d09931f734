// Eventually: looks at something again and again until it is so.

#ifndef PONTOON_TESTS_INTEGRATION_EVENTUALLY_H_
#define PONTOON_TESTS_INTEGRATION_EVENTUALLY_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/integration/cluster.h"

namespace pontoon::testing {

// Until the next look.
inline constexpr absl::Duration kLookInterval = absl::Milliseconds(20);

// True as soon as a look finds that `condition` holds, false if none does within `timeout`. Only
// for what other processes do by themselves and tell nobody, such as the promotion of a member. For
// the rest there are calls that wait: Cluster::WaitForLog, ::WaitForCatchUp, ::AwaitEnd, and
// UniqueWriters::WaitForAcknowledged.
template <typename Condition>
bool Eventually(Condition condition, absl::Duration timeout = Cluster::kPatience) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(kLookInterval);
  }
  return true;
}

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_EVENTUALLY_H_
