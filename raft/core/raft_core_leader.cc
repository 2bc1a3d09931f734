// Leading: replication, commit, heartbeats, the check for a quorum, and handing over.

#include <algorithm>
#include <utility>

#include "raft/base/check.h"
#include "raft/core/quorum.h"
#include "raft/core/raft_core.h"

namespace pontoon::raft {

void RaftCore::BecomeLeader(Instant now) {
  LeaderState state;
  state.elected = now;
  state.hand_over = {.target = kNoNode, .at = now, .delay = options_.HandOverDelay()};
  state.lease = Lease(options_.lease_duration);
  state.term_start = last_index().Next();
  state.heartbeat_last = state.term_start;
  state.housekeeping_due = now + options_.heartbeat_interval;
  role_ = std::move(state);
  UpdatePeers();
  forwarded_ = DuplicateFilter();
  forwarded_term_ = hard_state_.term;
  leader_contact_ = Instant::InfinitePast();
  hurry_until_ = Instant::InfinitePast();
  campaigned_ = false;
  // Nothing of an older term is committed by counting its copies: an entry of this term must carry
  // it (thesis 3.6.2). So there is one at once.
  AppendToLog({.index = last_index().Next(),
               .term = hard_state_.term,
               .kind = EntryKind::kNoOp,
               .request = {},
               .payload = nullptr});
  BroadcastHeartbeat(now);
  NoteRole("won the election");
}

void RaftCore::OnLeaderDeadline(Instant now) {
  LeaderState& state = *lead();
  if (QuorumIsSilent(now)) {
    BecomeFollower(now, hard_state_.term, kNoNode, "lost contact with a quorum");
    return;
  }
  if (DiskIsStuck(now)) {
    BecomeFollower(now, hard_state_.term, kNoNode, "its disk does not keep up");
    return;
  }
  if (state.transfer && now >= state.transfer->give_up) {
    state.transfer.reset();
    if (!membership().IsVoter(options_.self) && !TransferLeadership(now, kNoNode)) {
      BecomeFollower(now, hard_state_.term, kNoNode, "it votes no more");
      return;
    }
  }
  if (now >= state.commit_notice_due) SendCommitNotices(now);
  const bool keeps_house = now >= state.housekeeping_due;
  if (keeps_house) TryAgain(now);
  if (now >= state.heartbeat_due) BroadcastHeartbeat(now);
  if (!keeps_house) return;
  state.housekeeping_due = now + options_.heartbeat_interval;
  EndFarewells(now);
  PromoteWhoKeepsUp(now);
  HandOverToPreferred(now);
  state.heartbeat_last = last_index();
}

// What came to nothing since the last time.
void RaftCore::TryAgain(Instant now) {
  for (auto& [node, progress] : lead()->peers) {
    if (std::exchange(progress.log_read_failed, false)) progress.log_read_pending = false;
    const bool in_contact = now - progress.last_contact < options_.election_timeout;
    const bool waits = progress.state() == Progress::State::kSnapshot;
    if (progress.snapshot_failed && waits && in_contact) WantSnapshot(node, progress);
    // Appends that were sent so long ago are lost, though no connection broke.
    const Inflights& inflights = progress.inflights();
    if (!inflights.empty() && now - inflights.oldest() > options_.election_timeout) {
      progress.OnLoss();
    }
  }
}

// A leader that a quorum has not answered for an election timeout may have been replaced
// (thesis 6.2).
bool RaftCore::QuorumIsSilent(Instant now) const {
  const LeaderState& state = *lead();
  const Instant heard = QuorumValue(membership(), [&](NodeId node) {
    if (node == options_.self) return now;
    return std::max(state.peers.at(node).last_contact, state.elected);
  });
  return now - heard >= options_.election_timeout;
}

void RaftCore::BroadcastHeartbeat(Instant now) {
  LeaderState& state = *lead();
  ++state.round;
  state.lease.OnRoundStarted(state.round, now);
  state.heartbeat_due = now + options_.heartbeat_interval;
  for (auto& [node, progress] : state.peers) {
    Send(node, Heartbeat{.commit = commit_, .round = state.round});
    progress.told_commit = std::max(progress.told_commit, commit_);
  }
  if (commit_ >= state.term_start) state.reads.OnRoundStarted(state.round, commit_);
  ConfirmRounds();  // a cluster of one has its quorum here
}

void RaftCore::AppendProposals(NodeId origin, std::vector<Proposal> proposals) {
  LeaderState& state = *lead();
  for (Proposal& proposal : proposals) {
    Entry entry{.index = last_index().Next(),
                .term = hard_state_.term,
                .kind = EntryKind::kCommand,
                .request = proposal.request,
                .payload = std::move(proposal.payload)};
    state.uncommitted_bytes += entry.CountedBytes();
    AppendToLog(std::move(entry));
  }
  if (const auto peer = state.peers.find(origin); peer != state.peers.end()) {
    peer->second.forwarded_last = last_index();
  }
}

void RaftCore::MaybeCommit(Instant now) {
  LeaderState& state = *lead();
  const LogIndex stored = QuorumValue(membership(), [&](NodeId node) {
    // This node counts what its own disk keeps, like everybody else.
    return node == options_.self ? persisted_.stable_index() : state.peers.at(node).match();
  });
  // Only an entry of this term is committed by counting (thesis 3.6.2, figure 3.7).
  if (stored <= commit_ || trail_.TermAt(stored) != hard_state_.term) return;
  for (LogIndex index = commit_.Next(); index <= stored; ++index) {
    if (index <= state.term_start) continue;  // was not counted as proposed here
    state.uncommitted_bytes -= window_.At(index).CountedBytes();
  }
  AdvanceCommit(stored);
  state.commit_notice_due = std::min(state.commit_notice_due, now + options_.commit_notice_delay);
  ContinueChange(now);
}

// Sends every follower what it lacks and may be sent.
void RaftCore::SendAppends(Instant now) {
  for (auto& [node, progress] : lead()->peers) SendAppendsTo(now, node, progress);
}

// Whether the entries that could be sent wait for more to come (CoreOptions::append_gather_delay).
bool RaftCore::Gathers(Instant now, Progress& progress) const {
  const bool pipelined = progress.state() == Progress::State::kReplicate;
  if (!pipelined || progress.inflights().empty() || progress.next() < window_.first()) return false;
  if (lead()->transfer) return false;  // nothing more will come
  if (progress.gather_until == Instant::InfiniteFuture()) {
    progress.gather_until = now + options_.append_gather_delay;
  }
  return now < progress.gather_until &&
         !window_.HoldsFrom(progress.next(), options_.append_gather_bytes);
}

void RaftCore::SendAppendsTo(Instant now, NodeId peer, Progress& progress) {
  while (progress.next() <= last_index() && progress.CanSend() && !Gathers(now, progress)) {
    const LogIndex next = progress.next();
    if (next <= trail_.base().index) return WantSnapshot(peer, progress);
    if (next < window_.first()) {
      progress.log_read_pending = true;
      ready_.log_reads.push_back({.peer = peer,
                                  .term = hard_state_.term,
                                  .first = next,
                                  .last = std::min(window_.first().Prev(), last_index()),
                                  .bytes_max = options_.append_bytes_max});
      return;
    }
    SendAppend(now, peer, progress, window_.Slice(next, last_index(), options_.append_bytes_max));
  }
  if (progress.next() > last_index() || !progress.CanSend()) {
    progress.gather_until = Instant::InfiniteFuture();
  }
  // An empty append asks whether the logs agree, where there is nothing to send with the question.
  const bool unknown =
      progress.state() == Progress::State::kProbe && progress.next() > last_index();
  if (unknown && progress.CanSend()) SendAppend(now, peer, progress, {});
  // A follower whose own client waits for a commit is told at once; the others hear of it with the
  // next append, or a little later.
  const bool waits = progress.forwarded_last > progress.told_commit;
  if (waits && progress.told_commit < commit_) {
    Send(peer, CommitNotice{commit_});
    progress.told_commit = commit_;
  }
}

void RaftCore::SendAppend(Instant now, NodeId peer, Progress& progress,
                          std::vector<Entry> entries) {
  const LogIndex prev = progress.next().Prev();
  const LogIndex last = prev + entries.size();
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.CountedBytes();
  Send(peer,
       AppendRequest{
           .prev = {prev, *trail_.TermAt(prev)}, .entries = std::move(entries), .commit = commit_});
  progress.OnSent(last, bytes, now);
  progress.probed_round = lead()->round;
  progress.gather_until = Instant::InfiniteFuture();
  progress.told_commit = std::max(progress.told_commit, commit_);
}

void RaftCore::OnEntriesRead(Instant now, NodeId peer, Term term, std::vector<Entry> entries) {
  Progress* const found = term == hard_state_.term ? NewsOf(now, peer) : nullptr;
  if (!found) return;
  Progress& progress = *found;
  if (entries.empty()) {
    progress.log_read_failed = true;
    return;
  }
  progress.log_read_pending = false;
  // The log may have been compacted while the disk was read: there is no position to go on from.
  if (entries.front().index <= trail_.base().index) return;
  // The follower may have moved on while the disk was read.
  if (entries.front().index != progress.next() || !progress.CanSend()) return;
  SendAppend(now, peer, progress, std::move(entries));
}

void RaftCore::SendCommitNotices(Instant) {
  LeaderState& state = *lead();
  state.commit_notice_due = Instant::InfiniteFuture();
  for (auto& [node, progress] : state.peers) {
    if (progress.told_commit >= commit_) continue;
    Send(node, CommitNotice{commit_});
    progress.told_commit = commit_;
  }
}

// ---- answers

// The follower's state if this node leads and knows it.
Progress* RaftCore::FindPeer(NodeId peer) {
  LeaderState* state = lead();
  if (!state) return nullptr;
  const auto found = state->peers.find(peer);
  return found == state->peers.end() ? nullptr : &found->second;
}

// The same, for an input that is not a message.
Progress* RaftCore::NewsOf(Instant now, NodeId peer) {
  Progress* const progress = FindPeer(peer);
  if (!progress) return nullptr;
  now_ = now;
  dirty_ = true;
  return progress;
}

// The same, for a message of the follower.
Progress* RaftCore::HeardFrom(Instant now, NodeId peer) {
  Progress* const progress = FindPeer(peer);
  if (progress) progress->last_contact = std::max(progress->last_contact, now);
  return progress;
}

void RaftCore::Handle(Instant now, const Message& m, const AppendAccepted& accepted) {
  Progress* progress = HeardFrom(now, m.from);
  if (!progress || accepted.match > last_index()) return;
  // However it got there: what follows is in the log. An answer from before damage was found there
  // is not enough.
  if (accepted.match >= std::max(trail_.base().index, progress->next())) {
    progress->OnSnapshotSent(accepted.match);
  }
  if (progress->OnAccepted(accepted.match)) MaybeCommit(now);
  if (lead()) EndFarewells(now);
}

void RaftCore::Handle(Instant now, const Message& m, const AppendRejected& rejected) {
  Progress* progress = HeardFrom(now, m.from);
  if (!progress) return;
  const LogPosition meeting = trail_.LastPossibleMatch(rejected.hint);
  progress->OnRejected(rejected.rejected, meeting.index);
}

void RaftCore::Handle(Instant now, const Message& m, const HeartbeatAck& ack) {
  Progress* progress = HeardFrom(now, m.from);
  if (!progress || ack.round > lead()->round) return;
  progress->priority = ack.priority;
  progress->acked_round = std::max(progress->acked_round, ack.round);
  if (ack.round > progress->probed_round) progress->OnLaterHeartbeatAck();
  if (!ack.log_verified && progress->state() == Progress::State::kReplicate) progress->OnLoss();
  progress->needs_snapshot_of = ack.needs_snapshot_of;
  if (ack.needs_snapshot_of > LogIndex()) WantState(m.from, *progress);
  ConfirmRounds();
}

void RaftCore::Handle(Instant, const Message&, const StaleTerm&) {
  // The term itself was the message; see HandleTermDifference.
}

void RaftCore::Handle(Instant now, const Message& m, ForwardProposals& forward) {
  LeaderState* state = lead();
  const bool refuse =
      !state || state->transfer || state->uncommitted_bytes > options_.uncommitted_bytes_max;
  if (refuse) {
    RefuseForwarded(m.from, m.term, forward);
    return;
  }
  std::erase_if(forward.proposals, [&](const Proposal& proposal) {
    return proposal.request.origin != m.from || !forwarded_.Insert(proposal.request);
  });
  AppendProposals(m.from, std::move(forward.proposals));
  MaybeCommit(now);
}

// Answers that proposals were not appended, as far as that is certain: a copy of the message may
// have been, and only the filter of the leader of that very term knows. Nor will they be appended
// later. The origin of the others learns their fate once an entry of a later term is applied.
void RaftCore::RefuseForwarded(NodeId origin, Term term, const ForwardProposals& forward) {
  if (term != forwarded_term_) return;  // led by another node, or by an earlier life of this one
  ProposalsRefused refused;
  for (const Proposal& proposal : forward.proposals) {
    if (proposal.request.origin != origin || !forwarded_.Insert(proposal.request)) continue;
    refused.requests.push_back(proposal.request);
  }
  if (!refused.requests.empty()) SendInTerm(origin, term, std::move(refused));
}

void RaftCore::OnPeerUnreachable(Instant now, NodeId peer) {
  if (Progress* const progress = NewsOf(now, peer)) progress->OnLoss();
}

// ---- handing over

bool RaftCore::TransferLeadership(Instant now, NodeId target) {
  LeaderState* state = lead();
  if (!state || state->transfer) return false;
  if (target == kNoNode) {
    LogIndex best;
    for (const auto& [node, progress] : state->peers) {
      const bool may_lead = IsInContact(now, node) && membership().IsLastingVoter(node);
      if (!may_lead || progress.NeedsState()) continue;
      if (target == kNoNode || progress.match() > best) {
        target = node;
        best = progress.match();
      }
    }
  }
  if (target == options_.self || !state->peers.contains(target) ||
      !membership().IsLastingVoter(target)) {
    return false;
  }
  if (state->peers.at(target).NeedsState()) return false;  // it would not campaign
  now_ = now;
  dirty_ = true;
  state->transfer = Transfer{.target = target, .give_up = now + options_.election_timeout};
  return true;
}

// Of the voters that keep up the one of the highest priority, if that is higher than this node's;
// else this node.
NodeId RaftCore::PreferredLeader(Instant now) const {
  NodeId preferred = options_.self;
  uint32_t highest = options_.priority;
  for (const auto& [node, progress] : lead()->peers) {
    const bool fit = membership().IsLastingVoter(node) && KeepsUp(now, node);
    if (!fit || progress.priority <= highest) continue;
    preferred = node;
    highest = progress.priority;
  }
  return preferred;
}

// Leads on where it is wanted less, until one that is wanted more is as good.
void RaftCore::HandOverToPreferred(Instant now) {
  if (!ChangeMayBegin()) return;
  const NodeId preferred = PreferredLeader(now);
  if (preferred == options_.self) return;
  HandOver& last = lead()->hand_over;
  const absl::Duration delay = preferred == last.target ? last.delay : options_.HandOverDelay();
  if (now - last.at < delay) return;
  // If it comes to nothing it is not tried again at once, and ever more seldom: nothing is proposed
  // meanwhile.
  const absl::Duration longest = options_.hand_over_delay_growth_max * options_.HandOverDelay();
  last = {.target = preferred, .at = now, .delay = std::min(2 * delay, longest)};
  TransferLeadership(now, preferred);
}

void RaftCore::ContinueTransfer(Instant) {
  LeaderState& state = *lead();
  if (!state.transfer || state.transfer->timeout_now_sent) return;
  // Only a successor with the whole log can win, and a log that grows is never whole: so no
  // proposals are taken meanwhile.
  if (state.peers.at(state.transfer->target).match() < last_index()) return;
  state.lease.GiveUp();
  Send(state.transfer->target, TimeoutNow{});
  state.transfer->timeout_now_sent = true;
}

}  // namespace pontoon::raft
