// LeaseQuestion: what is asked of the leader's clock, by services and by other members.

#ifndef PONTOON_KV_LEASE_LEASE_QUESTION_H_
#define PONTOON_KV_LEASE_LEASE_QUESTION_H_

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "kv/store/revision.h"

namespace pontoon::kv {

struct LeaseQuestion {
  enum class Kind : uint8_t {
    kRenew,     // let the leases live for their whole TTL from now on
    kTimeLeft,  // say how long they live if nobody renews them
  };

  Kind kind = Kind::kRenew;
  std::vector<LeaseId> leases;
};

// As the answer for a lease that does not exist, or no longer.
inline constexpr int64_t kNoSuchLease = -1;

// For each lease of a question, in order, the seconds that it lives: kNoSuchLease or at least 0.
using LeaseAnswer = absl::StatusOr<std::vector<int64_t>>;
using LeaseAnswerCallback = absl::AnyInvocable<void(LeaseAnswer answer) &&>;

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LEASE_QUESTION_H_
