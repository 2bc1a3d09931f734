// Backoff: how long to wait before the next attempt.

#ifndef PONTOON_KV_CLIENT_BACKOFF_H_
#define PONTOON_KV_CLIENT_BACKOFF_H_

#include <cstdint>

#include "absl/time/time.h"
#include "raft/base/prng.h"

namespace pontoon {

struct BackoffOptions {
  absl::Duration first = absl::Milliseconds(25);
  absl::Duration longest = absl::Seconds(1);
};

// Each pause is twice the one before, up to the longest, and then shortened by chance to somewhere
// between half of it and the whole: clients that lost the same server do not come back together.
class Backoff {
 public:
  Backoff(const BackoffOptions& options, uint64_t seed)
      : options_(options), prng_(seed), pause_(options.first) {}

  absl::Duration Next();
  // The next pause is the first one again.
  void Reset() { pause_ = options_.first; }

 private:
  const BackoffOptions options_;
  Prng prng_;
  absl::Duration pause_;  // the next, before chance
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_BACKOFF_H_
