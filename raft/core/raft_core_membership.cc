// Changes of membership by joint consensus (thesis chapter 4).
//
// Three rules make them safe. A configuration is in effect on each node from its entry on, and as
// long as that is in the log. Voters are exchanged by way of a joint configuration, in which both
// majorities decide. And there is one change at a time: none begins before the entry of the last
// one is committed, and before the leader has committed an entry of its own term (Ongaro, raft-dev,
// July 2015: without that two leaders could each begin one from the same configuration).

#include <algorithm>
#include <set>
#include <utility>

#include "raft/base/check.h"
#include "raft/core/quorum.h"
#include "raft/core/raft_core.h"

namespace pontoon::raft {

ChangeTakenInTerm RaftCore::ChangeMembership(Instant now, RequestId request,
                                             std::vector<MembershipChange> changes) {
  now_ = now;
  if (lead()) {
    dirty_ = true;
    if (const auto refusal = BeginChange(now, request, changes)) return *refusal;
    return hard_state_.term;
  }
  const NodeId to = leader();
  if (to == kNoNode) return ChangeRefusal::kNoLeader;
  dirty_ = true;
  Send(to, ForwardChange{request, std::move(changes)});
  return hard_state_.term;
}

std::optional<ChangeRefusal> RaftCore::BeginChange(Instant now, RequestId request,
                                                   const std::vector<MembershipChange>& changes) {
  if (!ChangeMayBegin()) return ChangeRefusal::kBusy;
  const auto applied = ApplyChanges(membership(), changes);
  if (const auto* refusal = std::get_if<ChangeRefusal>(&applied)) return *refusal;
  const Membership& target = std::get<Membership>(applied);
  if (const auto refusal = MayBecome(now, target)) return refusal;
  AppendMembership(request, membership().TowardsTarget(target));
  return std::nullopt;
}

bool RaftCore::ChangeMayBegin() const {
  const LeaderState& state = *lead();
  return !state.transfer && commit_ >= state.term_start && memberships_.latest().index <= commit_ &&
         !membership().IsJoint();
}

// Whether the cluster would go on after the change: who comes to vote must keep up, and of those
// who then vote a majority must be there. Who is away for now is no obstacle as long as the others
// suffice.
std::optional<ChangeRefusal> RaftCore::MayBecome(Instant now, const Membership& target) const {
  if (target.voters == membership().voters) return std::nullopt;
  for (const NodeId node : target.voters) {
    if (!membership().IsVoter(node) && !KeepsUp(now, node)) return ChangeRefusal::kLearnerBehind;
  }
  const Instant heard = MajorityValue(
      target.voters, [&](NodeId node) { return node == options_.self ? now : LastContact(node); });
  if (now - heard >= options_.election_timeout) return ChangeRefusal::kQuorumAtRisk;
  return std::nullopt;
}

Instant RaftCore::LastContact(NodeId node) const {
  const auto peer = lead()->peers.find(node);
  return peer == lead()->peers.end() ? Instant::InfinitePast() : peer->second.last_contact;
}

bool RaftCore::IsInContact(Instant now, NodeId node) const {
  return now - LastContact(node) < options_.election_timeout;
}

// Lags by less than a heartbeat interval, so that its vote for an entry would not be long in
// coming.
bool RaftCore::KeepsUp(Instant now, NodeId node) const {
  if (!IsInContact(now, node)) return false;
  const Progress& progress = lead()->peers.at(node);
  return progress.state() == Progress::State::kReplicate && !progress.NeedsState() &&
         progress.match() >= std::min(lead()->heartbeat_last, commit_);
}

void RaftCore::AppendMembership(RequestId request, const Membership& membership) {
  Entry entry{.index = last_index().Next(),
              .term = hard_state_.term,
              .kind = EntryKind::kMembership,
              .request = request,
              .payload = std::make_shared<const std::string>(EncodeMembership(membership))};
  lead()->uncommitted_bytes += entry.CountedBytes();
  AppendToLog(std::move(entry));
}

// ---- what is in effect

void RaftCore::NoteMembership(const Entry& entry) {
  absl::StatusOr<Membership> membership = DecodeMembership(*entry.payload);
  CHECK(membership.ok()) << "entry " << entry.index;
  const bool same_voters = membership->voters == this->membership().voters &&
                           membership->outgoing == this->membership().outgoing;
  if (lead() && !same_voters) lead()->lease.OnQuorumChanged();
  memberships_.Append({entry.index, entry.request, *std::move(membership)});
  OnMembershipChanged();
}

void RaftCore::OnMembershipChanged() {
  peers_changed_ = true;
  if (lead()) UpdatePeers();
}

PeerUrls RaftCore::ReachablePeers() const {
  PeerUrls reachable = committed_membership().peer_urls;
  for (const MembershipHistory::Item& item : memberships_.items()) {
    if (item.index <= commit_) continue;
    for (const auto& [node, urls] : item.membership.peer_urls) reachable[node] = urls;
  }
  if (lead()) {
    for (const auto& [node, farewell] : lead()->farewells) reachable[node] = farewell.peer_urls;
  }
  return reachable;
}

void RaftCore::UpdatePeers() {
  LeaderState& state = *lead();
  std::set<NodeId> nodes;
  const auto add = [&](const Membership& membership) {
    for (const NodeId node : membership.AllNodes()) nodes.insert(node);
  };
  add(committed_membership());
  for (const MembershipHistory::Item& item : memberships_.items()) {
    if (item.index > commit_) add(item.membership);
  }
  nodes.erase(options_.self);
  for (const NodeId node : nodes) {
    state.peers.try_emplace(node, last_index().Next(), options_.inflight_messages_max,
                            options_.inflight_bytes_max);
  }
  const MembershipHistory::Item& committed = memberships_.At(commit_);
  for (const auto& [node, progress] : state.peers) {
    if (nodes.contains(node)) {
      state.farewells.erase(node);
      continue;
    }
    const PeerUrls& before = memberships_.At(committed.index.Prev()).membership.peer_urls;
    const auto urls = before.find(node);
    state.farewells.try_emplace(
        node,
        Farewell{.index = committed.index,
                 .until = now_ + options_.election_timeout,
                 .peer_urls = urls == before.end() ? std::vector<std::string>() : urls->second});
  }
  EndFarewells(now_);
  if (state.transfer && !membership().IsLastingVoter(state.transfer->target)) {
    state.transfer.reset();
  }
}

// Who leaves gets the log until it has the entry that says so, or does not answer; and then hears
// that this is committed.
void RaftCore::EndFarewells(Instant now) {
  LeaderState& state = *lead();
  std::erase_if(state.farewells, [&](const auto& item) {
    const auto& [node, farewell] = item;
    const bool knows = state.peers.at(node).match() >= farewell.index;
    if (!knows && IsInContact(now, node) && now < farewell.until) return false;
    Send(node, CommitNotice{commit_});
    state.peers.erase(node);
    peers_changed_ = true;
    return true;
  });
}

// ---- the way of a change

void RaftCore::OnCommitAdvanced(LogIndex before) {
  if (memberships_.latest().index <= before) return;
  for (const MembershipHistory::Item& item : memberships_.items()) {
    if (item.index <= before || item.index > commit_) continue;
    if (item.membership.IsLasting(options_.self)) was_member_ = true;
    if (!item.membership.IsJoint() && item.request.origin == options_.self) {
      ready_.changes_done.push_back(item.request);
    }
    OnMembershipChanged();
  }
}

// Goes on with a change whose entry is committed: leaves a joint configuration; and if the next one
// does without this node, has another one lead.
void RaftCore::ContinueChange(Instant now) {
  const MembershipHistory::Item& latest = memberships_.latest();
  if (latest.index > commit_) return;
  if (membership().IsJoint()) {
    const RequestId request = latest.request;
    AppendMembership(request, membership().Target());
  } else if (!membership().IsVoter(options_.self) && !lead()->transfer &&
             !TransferLeadership(now, kNoNode)) {
    BecomeFollower(now, hard_state_.term, kNoNode, "it votes no more");
  }
}

// Learners that are to vote do so as soon as nobody would have to wait for them.
void RaftCore::PromoteWhoKeepsUp(Instant now) {
  if (membership().joining.empty() || !ChangeMayBegin()) return;
  std::vector<MembershipChange> promotions;
  for (const NodeId node : membership().joining) {
    if (KeepsUp(now, node)) promotions.push_back({MembershipChange::Kind::kPromote, node});
  }
  if (promotions.empty()) return;
  // Refused only if too many of the others are away; then it is tried again.
  const RequestId nobody_asked{};
  BeginChange(now, nobody_asked, promotions);
}

// Who votes no more by the latest configuration still campaigns while that is not committed: the
// others may need its vote to win, and have a shorter log (thesis 4.2.2).
bool RaftCore::MayBeNeededToLead() const {
  if (committed_membership().IsVoter(options_.self)) return true;
  const std::vector<MembershipHistory::Item>& items = memberships_.items();
  return std::any_of(items.begin(), items.end(), [&](const MembershipHistory::Item& item) {
    return item.index > commit_ && item.membership.IsVoter(options_.self);
  });
}

// Committed is what counts: the entry that takes a node out may be taken back before. And until a
// joint configuration is left the node may be needed.
bool RaftCore::IsRemoved() const {
  const Membership& committed = committed_membership();
  return was_member_ && !lead() && !committed.IsJoint() && !committed.IsLasting(options_.self);
}

void RaftCore::Handle(Instant now, const Message& m, const ForwardChange& forward) {
  // Who does not lead any more says nothing: it cannot know what became of a copy of this message.
  if (!lead() || forward.request.origin != m.from || !forwarded_.Insert(forward.request)) return;
  if (const auto refusal = BeginChange(now, forward.request, forward.changes)) {
    Send(m.from, ChangeRefused{forward.request, *refusal});
  }
}

void RaftCore::Handle(Instant, const Message&, const ChangeRefused& refused) {
  ready_.changes_refused.push_back({refused.request, refused.refusal});
}

}  // namespace pontoon::raft
