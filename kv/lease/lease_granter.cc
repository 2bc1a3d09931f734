#include "kv/lease/lease_granter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "kv/errors.h"
#include "kv/service/command_result.h"
#include "kv/store/lease_records.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;

// Of ids that it chooses. Even one that is in use is next to impossible.
constexpr int kAttemptsMax = 3;
constexpr size_t kCommandBytesMax = 64;

}  // namespace

struct LeaseGranter::Attempt {
  LeaseGrantRequest request;
  Instant deadline;
  Callback done;
  int attempts_left = 1;
};

LeaseGranter::LeaseGranter(const Member* member, const Options& options)
    : member_(member), options_(options), prng_(options.seed) {}

int64_t LeaseGranter::TtlMin() const {
  const absl::Duration min = options_.election_timeout * 3 / 2;
  return std::max<int64_t>(absl::ToInt64Seconds(absl::Ceil(min, absl::Seconds(1))), 1);
}

int64_t LeaseGranter::ChooseId() {
  std::lock_guard lock(mutex_);
  const auto id = static_cast<int64_t>(prng_.Next() & std::numeric_limits<int64_t>::max());
  return std::max<int64_t>(id, 1);
}

void LeaseGranter::Grant(const LeaseGrantRequest& request, Instant deadline, Callback done) {
  if (request.ttl() > kLeaseTtlSecondsMax) return std::move(done)(kErrLeaseTTLTooLarge);
  if (options_.quota != nullptr) {
    const absl::Status room = options_.quota->Admit(QuotaCost(request));
    if (!room.ok()) return std::move(done)(room);
  }
  Attempt attempt{.request = request, .deadline = deadline, .done = std::move(done)};
  attempt.request.set_ttl(std::max(request.ttl(), TtlMin()));
  if (request.id() == kNoLease.value()) attempt.attempts_left = kAttemptsMax;
  Propose(std::move(attempt));
}

void LeaseGranter::Propose(Attempt attempt) {
  LeaseGrantRequest command = attempt.request;
  if (command.id() == kNoLease.value()) command.set_id(ChooseId());
  const Instant deadline = attempt.deadline;
  ProposeRequest<LeaseGrantResponse>(
      *member_, command, kCommandBytesMax, deadline,
      [this, attempt = std::move(attempt)](absl::StatusOr<LeaseGrantResponse> response) mutable {
        if (Is(response.status(), kErrLeaseExist) && --attempt.attempts_left > 0) {
          return Propose(std::move(attempt));
        }
        std::move(attempt.done)(std::move(response));
      });
}

}  // namespace pontoon::kv
