// Snapshots: for a follower that needs what is gone from the leader's log (thesis chapter 5).
//
// The bytes are none of the core's business: it says when a snapshot is to be sent, sees to it that
// pieces of an older term are not heard, and decides what a whole one is good for.

#include <algorithm>
#include <utility>

#include "raft/base/check.h"
#include "raft/core/raft_core.h"

namespace pontoon::raft {

// No honest log gets here, and what is counted from it does not overflow.
constexpr LogIndex kIndexMax(uint64_t{1} << 62);

// ---- on the leader

// What the follower lacks is gone from the log.
void RaftCore::WantSnapshot(NodeId peer, Progress& progress) {
  progress.OnSnapshotNeeded();
  progress.snapshot_failed = false;
  RequestSnapshot(peer, progress);
}

// The follower has a log, and no state that goes with it. Its log counts for the quorum, so that it
// grows on.
void RaftCore::WantState(NodeId peer, Progress& progress) {
  if (progress.state_under_way || progress.state() == Progress::State::kSnapshot) return;
  progress.state_under_way = true;
  RequestSnapshot(peer, progress);
}

void RaftCore::RequestSnapshot(NodeId peer, const Progress& progress) {
  ready_.snapshots_wanted.push_back(
      {.peer = peer,
       .term = hard_state_.term,
       .at_least = std::max(trail_.base().index, progress.needs_snapshot_of)});
}

void RaftCore::OnSnapshotSent(Instant now, NodeId peer, Term term,
                              std::optional<LogPosition> position) {
  Progress* const found = term == hard_state_.term ? NewsOf(now, peer) : nullptr;
  if (!found) return;
  Progress& progress = *found;
  progress.state_under_way = false;  // if that failed, the next heartbeat asks for it again
  if (position) {
    progress.OnSnapshotSent(position->index);
  } else if (progress.state() == Progress::State::kSnapshot) {
    progress.snapshot_failed = true;
  }
}

void RaftCore::OnEntriesUnreadable(Instant now, NodeId peer, Term term) {
  Progress* const found = term == hard_state_.term ? NewsOf(now, peer) : nullptr;
  if (!found) return;
  found->log_read_pending = false;
  if (found->state() != Progress::State::kSnapshot) WantSnapshot(peer, *found);
}

void RaftCore::Handle(Instant now, const Message& m, const SnapshotAck& ack) {
  if (HeardFrom(now, m.from)) ready_.acks.push_back({m.from, ack});
}

void RaftCore::OnLogCompacted(LogPosition base) {
  if (base.index <= trail_.base().index) return;
  CHECK_LT(base.index, apply_from_) << "an entry is gone from the log, and was not applied";
  CHECK(trail_.Contains(base)) << "the log on the disk is another one";
  trail_.DropUpTo(base.index);
  memberships_.DropUpTo(base.index);
}

// ---- on a follower

void RaftCore::Handle(Instant now, const Message& m, SnapshotChunk& chunk) {
  if (!FollowLeader(now, m.from)) return;
  // A state counts as soon as it is whole; its term must be on the disk by then, or a node that
  // lost its votes could not be told from one that crashed between the two. The piece comes again.
  const bool term_is_durable =
      !hard_state_dirty_ && persisted_.last_hard_state() <= persisted_.durable_seq();
  if (!term_is_durable) return;
  const bool of_use = needs_snapshot_ || chunk.position.index > commit_;
  if (of_use) {
    ready_.chunks.push_back({m.from, m.term, std::move(chunk)});
  } else {
    Send(m.from,
         SnapshotAck{
             .transfer = chunk.transfer, .received = 0, .state = SnapshotAck::State::kRefused});
    PromiseLog(m.from, AppendAccepted{.match = commit_});
  }
}

// What a leader sends was committed, so that a state of a later position than this node's can
// always take its place. What remains is which entries to keep.
void RaftCore::OnSnapshotReceived(Instant now, NodeId leader, Term term, LogPosition position,
                                  std::optional<MembershipHistory::Item> membership) {
  now_ = now;
  dirty_ = true;
  // A term has one leader, also if this node has lost contact with it.
  const bool other_leader = this->leader() != kNoNode && this->leader() != leader;
  if (term != hard_state_.term || lead() || other_leader) return;
  if (position.term > term || position.index > kIndexMax) return;  // no honest leader has such
  const bool have_entries = trail_.Contains(position);
  const bool fills_gap = needs_snapshot_ && have_entries;
  if (!fills_gap && position.index <= commit_) return;
  if (!have_entries) {
    ResetLogTo(position, std::move(membership));
  } else if (!fills_gap) {
    // The entries have come meanwhile. To apply them keeps the answers to this node's clients.
    verified_ = std::max(verified_, position.index);
    LearnCommit(position.index);
    PromiseLog(leader, AppendAccepted{.match = position.index});
    return;
  }
  ready_.install = position;
  needs_snapshot_ = false;
  verified_ = std::max(verified_, position.index);
  if (position.index > commit_) AdvanceCommit(position.index);
  leader_commit_ = std::max(leader_commit_, commit_);
  apply_from_ = position.index.Next();
  PromiseLog(leader, AppendAccepted{.match = position.index});
}

// Entries after a position that this log does not have were never committed, those before are in
// the snapshot.
void RaftCore::ResetLogTo(LogPosition position, std::optional<MembershipHistory::Item> membership) {
  trail_ = TermTrail(position, {}, position.index);
  window_ = EntryWindow(position.index.Next());
  persist_from_ = position.index.Next();
  truncate_from_.reset();
  reset_to_ = position;
  if (membership) {
    reset_membership_ =
        std::make_shared<const std::string>(EncodeMembership(membership->membership));
    memberships_.ResetTo(*std::move(membership));
  } else {
    // None was committed up to there: what was before the log's beginning is in effect again.
    reset_membership_ = nullptr;
    memberships_.ResetTo(MembershipHistory::Item(memberships_.items().front()));
  }
  OnMembershipChanged();
}

}  // namespace pontoon::raft
