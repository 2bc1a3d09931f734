#include "raft/base/membership_change.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "raft/base/check.h"

namespace pontoon {
namespace {

using Kind = MembershipChange::Kind;

void Insert(std::vector<NodeId>* nodes, NodeId node) {
  nodes->insert(std::upper_bound(nodes->begin(), nodes->end(), node), node);
}

void Erase(std::vector<NodeId>* nodes, NodeId node) { std::erase(*nodes, node); }

bool HasAddressOfAnother(const Membership& membership, const MembershipChange& change) {
  for (const auto& [node, urls] : membership.peer_urls) {
    if (node == change.node) continue;
    const auto taken = std::find_first_of(urls.begin(), urls.end(), change.peer_urls.begin(),
                                          change.peer_urls.end());
    if (taken != urls.end()) return true;
  }
  return false;
}

bool HasTooManyLearners(const Membership& membership, const MembershipChange& change) {
  if (change.kind != Kind::kAddLearner || !change.learners_max.has_value()) return false;
  const std::vector<NodeId>& joining = membership.joining;
  const auto lasting = std::count_if(
      membership.learners.begin(), membership.learners.end(),
      [&](NodeId learner) { return !std::binary_search(joining.begin(), joining.end(), learner); });
  return lasting >= static_cast<ptrdiff_t>(*change.learners_max);
}

std::optional<ChangeRefusal> Apply(const MembershipChange& change, Membership* membership) {
  const NodeId node = change.node;
  const bool adds = change.kind == Kind::kAddLearner || change.kind == Kind::kAddVoter;
  const bool is_member = membership->IsLasting(node);
  if (adds && is_member) return ChangeRefusal::kAlreadyMember;
  if (!adds && !is_member) return ChangeRefusal::kUnknownMember;
  if (HasAddressOfAnother(*membership, change)) return ChangeRefusal::kAddressTaken;
  if (HasTooManyLearners(*membership, change)) return ChangeRefusal::kTooManyLearners;
  switch (change.kind) {
    case Kind::kAddVoter:
      Insert(&membership->joining, node);
      [[fallthrough]];
    case Kind::kAddLearner:
      Insert(&membership->learners, node);
      [[fallthrough]];
    case Kind::kUpdate:
      membership->peer_urls[node] = change.peer_urls;
      return std::nullopt;
    case Kind::kPromote:
      if (!membership->IsLearner(node)) return ChangeRefusal::kNotLearner;
      Erase(&membership->learners, node);
      Erase(&membership->joining, node);
      Insert(&membership->voters, node);
      return std::nullopt;
    case Kind::kDemote:
      if (membership->IsLearner(node)) return ChangeRefusal::kNotVoter;
      Erase(&membership->voters, node);
      Insert(&membership->learners, node);
      return std::nullopt;
    case Kind::kRemove:
      Erase(&membership->voters, node);
      Erase(&membership->learners, node);
      Erase(&membership->joining, node);
      membership->peer_urls.erase(node);
      return std::nullopt;
  }
  return ChangeRefusal::kUnknownMember;  // a kind of a later version
}

}  // namespace

const char* RefusalText(ChangeRefusal refusal) {
  switch (refusal) {
    case ChangeRefusal::kNoLeader:
      return "no leader is known";
    case ChangeRefusal::kBusy:
      return "another change is under way, or the leader is new or handing over";
    case ChangeRefusal::kUnknownMember:
      return "there is no such member";
    case ChangeRefusal::kAlreadyMember:
      return "it is a member already";
    case ChangeRefusal::kNotLearner:
      return "it is no learner";
    case ChangeRefusal::kNotVoter:
      return "it is no voter";
    case ChangeRefusal::kNoVoterLeft:
      return "nobody would be left to vote";
    case ChangeRefusal::kAddressTaken:
      return "another member has this address";
    case ChangeRefusal::kLearnerBehind:
      return "the learner does not keep up with the leader yet";
    case ChangeRefusal::kQuorumAtRisk:
      return "too many of those who would vote then are not in contact with the leader";
    case ChangeRefusal::kTooManyLearners:
      return "there are as many learners as it allows";
  }
  return "an unknown reason";
}

std::variant<Membership, ChangeRefusal> ApplyChanges(const Membership& current,
                                                     std::span<const MembershipChange> changes) {
  CHECK(!current.IsJoint());
  Membership membership = current;
  for (const MembershipChange& change : changes) {
    if (const auto refusal = Apply(change, &membership); refusal.has_value()) return *refusal;
  }
  if (membership.voters.empty()) return ChangeRefusal::kNoVoterLeft;
  return membership;
}

}  // namespace pontoon
