// Votes: the answers to one (pre-)candidate.

#ifndef PONTOON_RAFT_CORE_VOTES_H_
#define PONTOON_RAFT_CORE_VOTES_H_

#include <map>

#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon::raft {

enum class Vote { kGranted, kDenied };

class Votes {
 public:
  enum class Outcome { kPending, kWon, kLost };

  // Notes the answer of `voter`. The first one counts: a voter may not change its mind within a
  // term.
  void Record(NodeId voter, Vote vote) { answers_.emplace(voter, vote); }

  // kLost as soon as the votes still out cannot make a quorum.
  Outcome Tally(const Membership& membership) const;

 private:
  Outcome TallyMajority(const std::vector<NodeId>& voters) const;

  std::map<NodeId, Vote> answers_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_VOTES_H_
