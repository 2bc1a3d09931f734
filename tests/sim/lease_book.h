// LeaseBook: what clients were promised of their leases.

#ifndef PONTOON_TESTS_SIM_LEASE_BOOK_H_
#define PONTOON_TESTS_SIM_LEASE_BOOK_H_

#include <cstdint>
#include <map>
#include <optional>

#include "absl/time/time.h"
#include "kv/lease/lease_question.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/operation.h"

namespace pontoon::sim {

// How exact a promise is.
struct LeaseRules {
  double clock_rate_error_max = 0;
  absl::Duration election_timeout = absl::Seconds(1);
};

// Checks that no leader's clock ends a lease before the time that a grant, or the answer to a
// question, has promised; and that no answer speaks of a lease as it was before the question: not
// as alive if it had been revoked, not as gone if it had been granted and was not revoked yet.
//
// A promise counts from when the leader gave it, and on the fastest clock that there may be. A
// leader answers no later than an election timeout, on its own clock, after it was known to lead;
// and each later one adds an election timeout, on its own clock. So what is promised is a little
// less than the seconds that are told.
//
// A failed check ends the process.
//
// Thread safety: none.
class LeaseBook {
 public:
  explicit LeaseBook(const LeaseRules& rules) : rules_(rules) {}

  // A grant took effect; a revocation, which a client or a leader's clock wanted. `now` is when the
  // first node applied it.
  void OnGranted(LeaseId lease, int64_t ttl_seconds, SimTime now);
  enum class WantedBy { kClient, kClock };
  void OnRevoked(LeaseId lease, WantedBy by, SimTime now);

  // A leader's answer, kv::kNoSuchLease or the seconds that a lease lives.
  struct Answer {
    kv::LeaseQuestion::Kind kind;
    LeaseId lease;
    int64_t seconds;
    SimTime asked;
    SimTime answered;
  };
  void OnAnswer(const Answer& answer);

  // The shortest time that `seconds` on a leader's clock can be, in an answer of any leader.
  absl::Duration LeastOf(int64_t seconds) const;
  // The longest time that they can be.
  absl::Duration MostOf(absl::Duration on_clock) const;

 private:
  struct Life {
    int64_t ttl_seconds = 0;
    SimTime granted;
    SimTime promised_until;
    std::optional<SimTime> revoked;
    WantedBy revoked_by = WantedBy::kClient;
  };
  // If a clock has ended the lease, it must not have been before what is promised.
  static void CheckEnd(LeaseId lease, const Life& life);

  const LeaseRules rules_;
  std::map<LeaseId, Life> lives_;  // of all leases that ever were; no id is used twice
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_LEASE_BOOK_H_
