// Quorum arithmetic for plain and joint configurations.

#ifndef PONTOON_RAFT_CORE_QUORUM_H_
#define PONTOON_RAFT_CORE_QUORUM_H_

#include <algorithm>
#include <functional>
#include <type_traits>
#include <vector>

#include "raft/base/check.h"
#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// The greatest value that a majority of `voters` has reached, where `value(node)` rises with time:
// a match index, a confirmed round, the instant of the last contact.
template <typename ValueOf>
auto MajorityValue(const std::vector<NodeId>& voters, const ValueOf& value) {
  CHECK(!voters.empty());
  using Value = decltype(value(NodeId()));
  static_assert(!std::is_same_v<Value, bool>, "the result would refer into the vector");
  std::vector<Value> values;
  values.reserve(voters.size());
  for (const NodeId voter : voters) values.push_back(value(voter));
  // In descending order, position n/2 is reached by n/2 + 1 of the n voters.
  auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end(), std::greater<>());
  return *middle;
}

// The same for a configuration: a joint one decides what both its majorities decide (thesis 4.3).
template <typename ValueOf>
auto QuorumValue(const Membership& membership, const ValueOf& value) {
  const auto incoming = MajorityValue(membership.voters, value);
  if (membership.outgoing.empty()) return incoming;
  return std::min(incoming, MajorityValue(membership.outgoing, value));
}

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_QUORUM_H_
