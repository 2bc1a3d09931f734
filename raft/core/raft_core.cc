// Terms, roles, the way of a message in, and the way of a Ready out.

#include "raft/core/raft_core.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::raft {

// Terms rise by one for each election: none of an honest peer gets here, and a node that took one
// over could not campaign much longer.
constexpr Term kTermMax(uint64_t{1} << 62);

const char* RoleName(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "unknown";
}

RaftCore::RaftCore(const CoreOptions& options, const RestoredState& restored, Instant now)
    : options_(options),
      prng_(options.seed),
      hard_state_(restored.hard_state),
      trail_(restored.base, restored.terms, restored.last),
      window_(restored.last.Next()),
      memberships_(restored.memberships),
      persisted_(restored.last),
      persist_from_(restored.last.Next()),
      commit_(std::max(restored.applied, restored.base.index)),
      leader_commit_(commit_),
      apply_from_(commit_.Next()),
      needs_snapshot_(restored.applied < restored.base.index),
      young_until_(now + options.election_timeout),
      now_(now) {
  CHECK(options.Validate().ok()) << options.Validate();
  CHECK_LE(restored.applied, restored.last) << "more is applied than the log has";
  // A log may hold entries of a term whose hard state was lost with its write: entries come after
  // it.
  CHECK_LE(trail_.last().term, hard_state_.term) << "the log is of a later term than the vote";
  for (const MembershipHistory::Item& item : memberships_.items()) {
    if (item.index <= commit_ && item.membership.IsLasting(options_.self)) was_member_ = true;
  }
  ResetElectionDue(now);
  AskSoonAfterStart(now);
  if (membership().IsOnlyVoter(options_.self)) election_due_ = now;  // nobody else could lead
  // An earlier life may have made a promise just before it ended; but not if it was always alone.
  const bool always_alone =
      memberships_.latest().index == LogIndex() && membership().IsOnlyVoter(options_.self);
  if (hard_state_.term > Term() && !always_alone) PromiseVote(now);
  NoteRole("started");
}

// ---- state

Role RaftCore::role() const {
  static_assert(std::variant_size_v<decltype(role_)> == 4);
  return static_cast<Role>(role_.index());
}

NodeId RaftCore::leader() const {
  if (const auto* state = std::get_if<FollowerState>(&role_)) return state->leader;
  return lead() ? options_.self : kNoNode;
}

LogIndex RaftCore::last_index() const { return trail_.last_index(); }

std::vector<RaftCore::PeerState> RaftCore::peer_states() const {
  std::vector<PeerState> states;
  if (const LeaderState* leader = lead()) {
    for (const auto& [node, progress] : leader->peers) {
      states.push_back({node, progress.match(), progress.last_contact,
                        progress.state() == Progress::State::kSnapshot || progress.NeedsState()});
    }
  }
  return states;
}

// ---- terms and roles

void RaftCore::AdoptTerm(Term term) {
  CHECK_GT(term, hard_state_.term);
  hard_state_ = {.term = term, .vote = kNoNode};
  hard_state_dirty_ = true;
  verified_ = LogIndex();
  outbox_.DropWithheld();
}

void RaftCore::SetVote(NodeId vote) {
  CHECK(hard_state_.vote == kNoNode || hard_state_.vote == vote) << "a second vote in one term";
  hard_state_.vote = vote;
  hard_state_dirty_ = true;
}

void RaftCore::BecomeFollower(Instant now, Term term, NodeId leader, const char* reason) {
  if (lead()) {
    LeaveLeadership();
    ResetElectionDue(now);
  }
  if (term > hard_state_.term) AdoptTerm(term);
  role_ = FollowerState{leader};
  NoteRole(reason);
}

void RaftCore::LeaveLeadership() {
  ready_.snapshots_wanted.clear();
  if (!lead()->farewells.empty()) peers_changed_ = true;
  for (const ReadQueue::Read& read : lead()->reads.TakeAll()) {
    if (read.origin == options_.self) {
      ready_.reads_refused.push_back(read.id);
    } else {
      Send(read.origin, ReadRefused{read.id});
    }
  }
}

void RaftCore::NoteRole(const char* reason, std::optional<ElectionCause> attempt) {
  const RoleChange change{role(), hard_state_.term, leader(), reason, attempt};
  if (last_role_ && last_role_->role == change.role && last_role_->term == change.term &&
      last_role_->leader == change.leader) {
    return;
  }
  last_role_ = change;
  // Who is alone goes through all roles at once: that it tried is not to be lost.
  if (!attempt && ready_.role_change) attempt = ready_.role_change->attempt;
  ready_.role_change = change;
  ready_.role_change->attempt = attempt;
}

// ---- messages out

void RaftCore::Send(NodeId to, MessageBody body) {
  SendInTerm(to, hard_state_.term, std::move(body));
}

void RaftCore::SendInTerm(NodeId to, Term term, MessageBody body) {
  outbox_.Send({options_.self, to, term, std::move(body)});
}

void RaftCore::PromiseTerm(NodeId to, MessageBody body) {
  const PersistSeq after =
      hard_state_dirty_ ? persisted_.last_issued().Next() : persisted_.last_hard_state();
  Message message{options_.self, to, hard_state_.term, std::move(body)};
  if (after <= persisted_.durable_seq()) {
    outbox_.Send(std::move(message));
  } else {
    outbox_.SendAfter(after, std::move(message));
  }
}

void RaftCore::PromiseLog(NodeId to, MessageBody body) {
  const bool dirty =
      hard_state_dirty_ || reset_to_ || truncate_from_ || persist_from_ <= last_index();
  const PersistSeq after = dirty ? persisted_.last_issued().Next() : persisted_.last_issued();
  Message message{options_.self, to, hard_state_.term, std::move(body)};
  if (after <= persisted_.durable_seq()) {
    outbox_.Send(std::move(message));
  } else {
    outbox_.SendAfter(after, std::move(message));
  }
}

// ---- inputs

void RaftCore::OnDeadline(Instant now) {
  if (now < NextDeadline()) return;
  now_ = now;
  dirty_ = true;
  if (lead()) {
    OnLeaderDeadline(now);
  } else {
    StartPreVote(now);
  }
}

void RaftCore::OnMessage(Instant now, Message message) {
  if (message.to != options_.self || message.from == kNoNode) return;
  if (message.term > kTermMax) return;
  if (message.from == options_.self && !std::holds_alternative<VoteResponse>(message.body)) return;
  now_ = now;
  dirty_ = true;
  if (HandleTermDifference(now, message)) Dispatch(now, std::move(message));
}

// Settles what an older or a later term means. True if the message is to be handled after that.
bool RaftCore::HandleTermDifference(Instant now, const Message& message) {
  const MessageBody& body = message.body;
  // These are bound to a term of their own, and their handlers look at it.
  if (std::holds_alternative<PreVoteRequest>(body) || std::holds_alternative<ReadReply>(body) ||
      std::holds_alternative<ReadRefused>(body) || std::holds_alternative<ProposalsRefused>(body) ||
      std::holds_alternative<ChangeRefused>(body)) {
    return true;
  }
  if (const auto* response = std::get_if<PreVoteResponse>(&body); response && response->granted) {
    return message.term == hard_state_.term.Next();
  }
  if (message.term < hard_state_.term) {
    AnswerOlderTerm(message);
    return false;
  }
  if (message.term == hard_state_.term) return true;

  // A candidate that disturbs a working leader is not heard, and its term not taken over: it may
  // have been removed, or cut off for long (thesis 4.2.3 and 6.2).
  if (const auto* request = std::get_if<VoteRequest>(&body)) {
    if (!request->leader_asked && (HearsFromLeader(now) || !MayVote(now))) return false;
  }
  const bool from_leader = std::holds_alternative<AppendRequest>(body) ||
                           std::holds_alternative<Heartbeat>(body) ||
                           std::holds_alternative<SnapshotChunk>(body);
  BecomeFollower(now, message.term, from_leader ? message.from : kNoNode,
                 from_leader ? "a leader of a later term" : "a message of a later term");
  return true;
}

void RaftCore::AnswerOlderTerm(const Message& message) {
  const NodeId to = message.from;
  if (std::holds_alternative<AppendRequest>(message.body) ||
      std::holds_alternative<Heartbeat>(message.body) ||
      std::holds_alternative<SnapshotChunk>(message.body)) {
    PromiseTerm(to, StaleTerm{});  // or a deposed leader would never learn of it
  } else if (std::holds_alternative<VoteRequest>(message.body)) {
    PromiseTerm(to, VoteResponse{.granted = false});
  } else if (const auto* forward = std::get_if<ForwardProposals>(&message.body)) {
    RefuseForwarded(to, message.term, *forward);
  } else if (const auto* request = std::get_if<ReadRequest>(&message.body)) {
    SendInTerm(to, message.term, ReadRefused{request->id});
  }
}

void RaftCore::Dispatch(Instant now, Message message) {
  std::visit([&](auto& body) { Handle(now, message, body); }, message.body);
}

void RaftCore::OnPersisted(Instant now, PersistSeq seq) {
  now_ = now;
  dirty_ = true;
  persisted_.OnPersisted(seq);
  outbox_.Release(seq);
  if (lead()) MaybeCommit(now);
}

void RaftCore::AdvanceCommit(LogIndex commit) {
  CHECK_GE(commit, commit_) << "the commit index never falls";
  CHECK_LE(commit, last_index());
  const LogIndex before = std::exchange(commit_, commit);
  OnCommitAdvanced(before);
}

TakenInTerm RaftCore::Propose(Instant now, std::vector<Proposal> proposals) {
  now_ = now;
  if (LeaderState* leader = lead()) {
    if (leader->transfer) return Refusal::kTransferring;
    if (leader->uncommitted_bytes > options_.uncommitted_bytes_max) return Refusal::kOverloaded;
    dirty_ = true;
    AppendProposals(options_.self, std::move(proposals));
    MaybeCommit(now);
    return hard_state_.term;
  }
  const NodeId to = leader();
  if (to == kNoNode) return Refusal::kNoLeader;
  dirty_ = true;
  Send(to, ForwardProposals{std::move(proposals)});
  return hard_state_.term;
}

void RaftCore::ForwardAgain(Instant now, Term term, std::vector<Proposal> proposals) {
  if (lead() || leader() == kNoNode || term != hard_state_.term) return;
  now_ = now;
  dirty_ = true;
  Send(leader(), ForwardProposals{std::move(proposals)});
}

// ---- output

bool RaftCore::HasReady() const { return dirty_; }

Ready RaftCore::TakeReady() {
  dirty_ = false;
  if (lead()) {
    StartReadRound(now_);
    SendAppends(now_);
    ContinueTransfer(now_);
  }
  Ready ready = std::exchange(ready_, {});
  // How much they are to be believed depends on the term of the log's end.
  const bool is_new_term = std::exchange(peers_term_, trail_.last().term) != trail_.last().term;
  if (std::exchange(peers_changed_, false) || is_new_term) ready.peers = ReachablePeers();
  if (!removal_told_ && IsRemoved()) ready.removed = removal_told_ = true;
  ready.persist = TakePersistBatch();
  ready.committed = TakeCommitted();
  for (Message& message : outbox_.Take()) {
    if (message.to == options_.self) {
      // A candidate's own vote, now durable.
      OnMessage(now_, std::move(message));
    } else {
      ready.messages.push_back(std::move(message));
    }
  }
  // What waits for a snapshot, to be applied after it, is read from the log then.
  const LogIndex durable = persisted_.stable_index().Next();
  window_.EvictBefore(needs_snapshot_ ? durable : std::min(apply_from_, durable),
                      options_.window_bytes_max);
  return ready;
}

std::optional<PersistBatch> RaftCore::TakePersistBatch() {
  const bool has_entries = persist_from_ <= last_index();
  if (!hard_state_dirty_ && !reset_to_ && !truncate_from_ && !has_entries) return std::nullopt;
  PersistBatch batch{.seq = persisted_.last_issued().Next(),
                     .hard_state = std::nullopt,
                     .reset_to = std::exchange(reset_to_, std::nullopt),
                     .reset_membership = std::exchange(reset_membership_, nullptr),
                     .truncate_from = std::exchange(truncate_from_, std::nullopt),
                     .entries = {}};
  if (std::exchange(hard_state_dirty_, false)) batch.hard_state = hard_state_;
  if (has_entries) {
    batch.entries = window_.Slice(persist_from_, last_index(), std::numeric_limits<size_t>::max());
    persist_from_ = last_index().Next();
  }
  persisted_.Issue(batch, now_);
  return batch;
}

// Entries are applied only once this node's own disk keeps them, although a quorum without it may
// have committed them before: so the state machine is never ahead of the log that explains it.
std::optional<CommittedRange> RaftCore::TakeCommitted() {
  if (needs_snapshot_) return std::nullopt;
  const LogIndex last = std::min(commit_, persisted_.stable_index());
  if (last < apply_from_) return std::nullopt;
  CommittedRange range{.first = apply_from_, .last = last, .entries = {}};
  const LogIndex cached = std::max(apply_from_, window_.first());
  if (cached <= last) {
    range.entries = window_.Slice(cached, last, std::numeric_limits<size_t>::max());
  }
  apply_from_ = last.Next();
  return range;
}

Instant RaftCore::NextDeadline() const {
  const LeaderState* leader = lead();
  if (!leader) {
    // Who may not campaign still finds out that its leader is gone.
    const bool waits = MayCampaign() || this->leader() != kNoNode;
    return waits ? election_due_ : Instant::InfiniteFuture();
  }
  if (leader->peers.empty()) return Instant::InfiniteFuture();
  Instant due =
      std::min({leader->heartbeat_due, leader->housekeeping_due, leader->commit_notice_due});
  if (leader->transfer) due = std::min(due, leader->transfer->give_up);
  for (const auto& [node, progress] : leader->peers) due = std::min(due, progress.gather_until);
  return due;
}

}  // namespace pontoon::raft
