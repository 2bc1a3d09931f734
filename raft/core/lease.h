// Lease: the time for which a leader may answer reads without asking.

#ifndef PONTOON_RAFT_CORE_LEASE_H_
#define PONTOON_RAFT_CORE_LEASE_H_

#include <deque>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Who acknowledges a heartbeat votes for nobody else for a while (CoreOptions::lease_duration,
// stretched by the error of the clocks). So for that while after a quorum acknowledged a round
// there is no other leader, counted from when the round was *sent*: the followers began to count
// later (thesis 6.4.1). One term of one leader; a value, without a clock.
//
// Bounded: of the rounds that nobody has confirmed, only the latest kRoundsMax are kept. A leader
// whose rounds take longer has no lease.
class Lease {
 public:
  static constexpr size_t kRoundsMax = 64;

  // Zero: there never is a lease.
  explicit Lease(absl::Duration duration) : duration_(duration) {}

  // `round`, later than all before, is being sent.
  void OnRoundStarted(RoundId round, Instant now) {
    if (duration_ == absl::ZeroDuration()) return;
    rounds_.push_back({round, now});
    if (rounds_.size() > kRoundsMax) rounds_.pop_front();
  }

  // A quorum has acknowledged `round`.
  void OnRoundConfirmed(RoundId round) {
    while (!rounds_.empty() && rounds_.front().round <= round) {
      if (!given_up_) until_ = rounds_.front().sent + duration_;
      rounds_.pop_front();
    }
  }

  // Another quorum counts from now on: only its promises make a lease.
  void OnQuorumChanged() { until_ = Instant::InfinitePast(); }

  // The followers were released from their promise, and no later round binds them again: a message
  // that asks one of them to campaign may arrive at any time in this term.
  void GiveUp() {
    given_up_ = true;
    until_ = Instant::InfinitePast();
  }

  bool HoldsAt(Instant now) const { return now < until_; }

 private:
  struct Round {
    RoundId round;
    Instant sent;
  };

  absl::Duration duration_;
  std::deque<Round> rounds_;  // not confirmed, in their order
  Instant until_ = Instant::InfinitePast();
  bool given_up_ = false;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_LEASE_H_
