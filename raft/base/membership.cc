#include "raft/base/membership.h"

#include <algorithm>

namespace pontoon {

bool Membership::IsVoter(NodeId node) const {
  return std::binary_search(voters.begin(), voters.end(), node) ||
         std::binary_search(outgoing.begin(), outgoing.end(), node);
}

bool Membership::IsOnlyVoter(NodeId node) const {
  const std::vector<NodeId> alone = {node};
  return voters == alone && (outgoing.empty() || outgoing == alone);
}

std::vector<NodeId> Membership::AllNodes() const {
  std::vector<NodeId> all = voters;
  all.insert(all.end(), outgoing.begin(), outgoing.end());
  all.insert(all.end(), learners.begin(), learners.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace pontoon
