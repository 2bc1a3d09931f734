// Following a leader: its entries, its heartbeats, its commit index.

#include <algorithm>
#include <utility>

#include "raft/base/check.h"
#include "raft/core/raft_core.h"

namespace pontoon::raft {

// Takes `leader`, which spoke as the leader of this term, for it. False if somebody else is, this
// node perhaps: no honest message says so.
bool RaftCore::FollowLeader(Instant now, NodeId leader) {
  if (lead()) return false;
  if (!follower() || follower()->leader == kNoNode) {
    BecomeFollower(now, hard_state_.term, leader, "heard of the leader");
  }
  if (follower()->leader != leader) return false;
  leader_contact_ = now;
  hurry_until_ = Instant::InfinitePast();
  campaigned_ = false;
  ResetElectionDue(now);
  return true;
}

// The leader has committed up to `leader_commit`. This log follows as far as it is known to agree.
void RaftCore::LearnCommit(LogIndex leader_commit) {
  leader_commit_ = std::max(leader_commit_, leader_commit);
  const LogIndex commit = std::min(leader_commit_, verified_);
  if (commit > commit_) AdvanceCommit(commit);
}

// Whether what the entry means to the log itself, if anything, can be understood.
static bool IsReadable(const Entry& entry) {
  if (entry.kind != EntryKind::kMembership) return true;
  return entry.payload != nullptr && DecodeMembership(*entry.payload).ok();
}

void RaftCore::Handle(Instant now, const Message& m, AppendRequest& request) {
  if (!FollowLeader(now, m.from)) return;
  LogIndex expected = request.prev.index;
  Term term = request.prev.term;
  for (const Entry& entry : request.entries) {
    const bool sound = entry.index == expected.Next() && entry.term >= term &&
                       entry.term <= m.term && IsReadable(entry);
    if (!sound) return;
    expected = entry.index;
    term = entry.term;
  }
  // What lies before the base was committed, so that all logs agree on it.
  const bool agrees = request.prev.index < trail_.base().index || trail_.Contains(request.prev);
  if (!agrees) {
    PromiseLog(m.from, AppendRejected{.rejected = request.prev.index,
                                      .hint = trail_.LastPossibleMatch(request.prev)});
    return;
  }
  const LogIndex end = request.prev.index + request.entries.size();
  if (!request.entries.empty() && AppendMissing(std::move(request.entries)) != end) return;
  verified_ = std::max(verified_, end);
  LearnCommit(request.commit);
  PromiseLog(m.from, AppendAccepted{.match = end});
}

// Appends what this log does not have, and truncates it only where an entry of another term stands
// in the way: a repeated or overtaken request, shorter than the log, takes nothing from it
// (thesis 3.5). Returns the index of the last of `entries`, or of what was kept if an entry would
// replace a committed one, which no leader asks for.
LogIndex RaftCore::AppendMissing(std::vector<Entry> entries) {
  LogIndex end = entries.front().index.Prev();
  for (Entry& entry : entries) {
    if (entry.index >= trail_.base().index && !trail_.Contains({entry.index, entry.term})) {
      if (entry.index <= last_index()) {
        if (entry.index <= commit_) return end;
        TruncateFrom(entry.index);
      }
      AppendToLog(std::move(entry));
      end = last_index();
    } else {
      end = entry.index;
    }
  }
  return end;
}

void RaftCore::TruncateFrom(LogIndex from) {
  CHECK_GT(from, commit_) << "a committed entry is never taken back";
  // Tell the disk, if it was ever told of these entries.
  if (from < persist_from_) {
    truncate_from_ = truncate_from_ ? std::min(*truncate_from_, from) : from;
    persist_from_ = from;
  }
  trail_.TruncateFrom(from);
  window_.TruncateFrom(from);
  if (memberships_.TruncateFrom(from)) OnMembershipChanged();
}

void RaftCore::AppendToLog(Entry entry) {
  trail_.Append(entry.index, entry.term);
  if (entry.kind == EntryKind::kMembership) NoteMembership(entry);
  window_.Append(std::move(entry));
}

void RaftCore::Handle(Instant now, const Message& m, const Heartbeat& heartbeat) {
  if (!FollowLeader(now, m.from)) return;
  PromiseVote(now);
  LearnCommit(heartbeat.commit);
  // After a restart within the term, an old append that comes late may show less than this log
  // already acknowledged: then the leader must ask again, or the commit index would rest below its
  // own until the next write.
  const LogIndex should_be_verified = std::max(LogIndex(1), std::min(leader_commit_, last_index()));
  PromiseTerm(m.from,
              HeartbeatAck{.round = heartbeat.round,
                           .log_verified = verified_ >= should_be_verified,
                           .needs_snapshot_of = needs_snapshot_ ? trail_.base().index : LogIndex(),
                           .priority = options_.priority});
}

void RaftCore::Handle(Instant now, const Message& m, const CommitNotice& notice) {
  if (FollowLeader(now, m.from)) LearnCommit(notice.commit);
}

}  // namespace pontoon::raft
