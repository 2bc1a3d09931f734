#include "raft/core/votes.h"

namespace pontoon::raft {

Votes::Outcome Votes::TallyMajority(const std::vector<NodeId>& voters) const {
  size_t granted = 0;
  size_t denied = 0;
  for (const NodeId voter : voters) {
    const auto answer = answers_.find(voter);
    if (answer == answers_.end()) continue;
    ++(answer->second == Vote::kGranted ? granted : denied);
  }
  const size_t majority = voters.size() / 2 + 1;
  if (granted >= majority) return Outcome::kWon;
  if (voters.size() - denied < majority) return Outcome::kLost;
  return Outcome::kPending;
}

Votes::Outcome Votes::Tally(const Membership& membership) const {
  const Outcome incoming = TallyMajority(membership.voters);
  if (membership.outgoing.empty()) return incoming;
  const Outcome outgoing = TallyMajority(membership.outgoing);
  if (incoming == Outcome::kLost || outgoing == Outcome::kLost) return Outcome::kLost;
  if (incoming == Outcome::kWon && outgoing == Outcome::kWon) return Outcome::kWon;
  return Outcome::kPending;
}

}  // namespace pontoon::raft
