#include "tests/sim/lease_book.h"

#include <algorithm>

#include "raft/base/check.h"

namespace pontoon::sim {
namespace {

// Of the readings of clocks, and of the arithmetic here.
constexpr absl::Duration kRounding = absl::Microseconds(1);

}  // namespace

absl::Duration LeaseBook::LeastOf(int64_t seconds) const {
  const absl::Duration later_leader =
      (absl::Seconds(seconds) + rules_.election_timeout) / (1 + rules_.clock_rate_error_max);
  const absl::Duration answered_late = rules_.election_timeout / (1 - rules_.clock_rate_error_max);
  return std::max(later_leader - answered_late - kRounding, absl::ZeroDuration());
}

absl::Duration LeaseBook::MostOf(absl::Duration on_clock) const {
  return on_clock / (1 - rules_.clock_rate_error_max) + kRounding;
}

void LeaseBook::OnGranted(LeaseId lease, int64_t ttl_seconds, SimTime now) {
  const Life life{.ttl_seconds = ttl_seconds,
                  .granted = now,
                  .promised_until = now + LeastOf(ttl_seconds),
                  .revoked = std::nullopt,
                  .revoked_by = WantedBy::kClient};
  CHECK(lives_.emplace(lease, life).second) << "lease " << lease << " is granted a second time";
}

void LeaseBook::OnRevoked(LeaseId lease, WantedBy by, SimTime now) {
  Life& life = lives_.at(lease);
  CHECK(!life.revoked.has_value()) << "lease " << lease << " is revoked a second time";
  life.revoked = now;
  life.revoked_by = by;
  CheckEnd(lease, life);
}

void LeaseBook::CheckEnd(LeaseId lease, const Life& life) {
  if (!life.revoked.has_value() || life.revoked_by == WantedBy::kClient) return;
  CHECK_GE(*life.revoked, life.promised_until)
      << "lease " << lease << " ends " << Since(*life.revoked, life.promised_until)
      << " before the time that was promised";
}

void LeaseBook::OnAnswer(const Answer& answer) {
  const auto found = lives_.find(answer.lease);
  if (answer.seconds == kv::kNoSuchLease) {
    CHECK(found == lives_.end() || found->second.granted >= answer.asked ||
          found->second.revoked.has_value())
        << "lease " << answer.lease << " lives, and is said not to";
    return;
  }
  CHECK(found != lives_.end()) << "lease " << answer.lease << " was never granted";
  Life& life = found->second;
  CHECK(!life.revoked.has_value() || *life.revoked >= answer.asked)
      << "lease " << answer.lease << " is said to live, and was revoked before that was asked";
  const bool renewed = answer.kind == kv::LeaseQuestion::Kind::kRenew;
  const int64_t most = life.ttl_seconds + absl::ToInt64Seconds(rules_.election_timeout) + 1;
  CHECK(renewed ? answer.seconds == life.ttl_seconds : answer.seconds <= most)
      << "lease " << answer.lease << " of " << life.ttl_seconds << " s is said to live for "
      << answer.seconds << " s";
  const absl::Duration least = LeastOf(answer.seconds);
  if (least == absl::ZeroDuration()) return;  // that is no promise
  life.promised_until = std::max(life.promised_until, answer.answered + least);
  CheckEnd(answer.lease, life);
}

}  // namespace pontoon::sim
