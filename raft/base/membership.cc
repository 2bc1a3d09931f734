#include "raft/base/membership.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "proto/membership.pb.h"

namespace pontoon {
namespace {

using Nodes = std::vector<NodeId>;

bool Contains(const Nodes& nodes, NodeId node) {
  return std::binary_search(nodes.begin(), nodes.end(), node);
}

Nodes Union(Nodes nodes, const Nodes& others) {
  nodes.insert(nodes.end(), others.begin(), others.end());
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

template <typename Ids>
void Encode(const Nodes& nodes, Ids* out) {
  for (const NodeId node : nodes) out->Add(node.value());
}

template <typename Ids>
Nodes Decode(const Ids& ids) {
  Nodes nodes;
  for (const uint64_t id : ids) nodes.push_back(NodeId(id));
  return nodes;
}

// Sorted, without a repetition, and without the id of nobody.
bool IsSet(const Nodes& nodes) {
  return std::adjacent_find(nodes.begin(), nodes.end(), std::greater_equal<>()) == nodes.end() &&
         !Contains(nodes, kNoNode);
}

}  // namespace

bool Membership::IsVoter(NodeId node) const {
  return Contains(voters, node) || Contains(outgoing, node);
}

bool Membership::IsLasting(NodeId node) const {
  return Contains(voters, node) || Contains(learners, node);
}

bool Membership::IsLastingVoter(NodeId node) const { return Contains(voters, node); }

bool Membership::IsLearner(NodeId node) const { return Contains(learners, node); }

bool Membership::IsOnlyVoter(NodeId node) const {
  const Nodes alone = {node};
  return voters == alone && (outgoing.empty() || outgoing == alone);
}

Nodes Membership::AllNodes() const { return Union(AllVoters(), learners); }

Nodes Membership::AllVoters() const { return Union(voters, outgoing); }

Membership Membership::Target() const {
  Membership target = *this;
  target.outgoing.clear();
  if (IsJoint()) {
    std::erase_if(target.peer_urls, [&](const auto& item) { return !IsLasting(item.first); });
  }
  return target;
}

Membership Membership::TowardsTarget(const Membership& target) const {
  Membership joint = target;
  if (target.voters == voters) return joint;
  joint.outgoing = voters;
  // Until it is over the messages of those who go must find their way.
  joint.peer_urls.insert(peer_urls.begin(), peer_urls.end());
  return joint;
}

std::string EncodeMembership(const Membership& membership) {
  membership::v1::Membership proto;
  Encode(membership.voters, proto.mutable_voters());
  Encode(membership.outgoing, proto.mutable_outgoing());
  Encode(membership.learners, proto.mutable_learners());
  Encode(membership.joining, proto.mutable_joining());
  for (const auto& [node, urls] : membership.peer_urls) {
    membership::v1::Addresses* addresses = proto.add_addresses();
    addresses->set_member(node.value());
    for (const std::string& url : urls) addresses->add_peer_urls(url);
  }
  return proto.SerializeAsString();
}

absl::StatusOr<Membership> DecodeMembership(absl::string_view bytes) {
  const absl::Status damaged = absl::DataLossError("these bytes are no membership");
  membership::v1::Membership proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return damaged;
  Membership membership{.voters = Decode(proto.voters()),
                        .outgoing = Decode(proto.outgoing()),
                        .learners = Decode(proto.learners()),
                        .joining = Decode(proto.joining())};
  for (const membership::v1::Addresses& addresses : proto.addresses()) {
    membership.peer_urls[NodeId(addresses.member())].assign(addresses.peer_urls().begin(),
                                                            addresses.peer_urls().end());
  }
  for (const Nodes* nodes :
       {&membership.voters, &membership.outgoing, &membership.learners, &membership.joining}) {
    if (!IsSet(*nodes)) return damaged;
  }
  // With nobody to vote nothing could ever be decided.
  if (membership.voters.empty()) return damaged;
  return membership;
}

}  // namespace pontoon
