// Membership: who takes part in the cluster, and who counts.

#ifndef PONTOON_RAFT_BASE_MEMBERSHIP_H_
#define PONTOON_RAFT_BASE_MEMBERSHIP_H_

#include <vector>

#include "raft/base/types.h"

namespace pontoon {

// A configuration of the cluster. While `outgoing` is not empty the configuration is joint:
// decisions need a majority of `voters` and a majority of `outgoing` (thesis 4.3). The lists are
// sorted and hold no node twice.
struct Membership {
  std::vector<NodeId> voters;
  std::vector<NodeId> outgoing;  // the voters of the configuration that is being left
  std::vector<NodeId> learners;  // receive the log, decide nothing

  bool IsVoter(NodeId node) const;
  // Whether `node` decides everything alone.
  bool IsOnlyVoter(NodeId node) const;
  // Every node that receives the log, sorted, each once.
  std::vector<NodeId> AllNodes() const;

  friend bool operator==(const Membership&, const Membership&) = default;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_MEMBERSHIP_H_
