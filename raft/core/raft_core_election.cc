// Elections: pre-vote, vote, and the election that a leader asks for.

#include <algorithm>
#include <optional>
#include <utility>

#include "raft/base/check.h"
#include "raft/core/raft_core.h"

namespace pontoon::raft {

// Spread, so that one node is usually alone with its candidacy (thesis 3.4): over half an election
// timeout, since a vote that is split all the same is soon repeated (RepeatVoteSoon). In heartbeat
// intervals if the leader is known to be gone.
void RaftCore::ResetElectionDue(Instant now) {
  if (now < hurry_until_) {
    election_due_ = now + options_.heartbeat_interval + RandomBelow(options_.heartbeat_interval);
  } else {
    election_due_ = now + options_.election_timeout + RandomBelow(options_.election_timeout / 2);
  }
}

// A candidate without an answer waits a quarter to a half of an election timeout, but only the
// first time: where votes take longer, the next ones get the time they need.
void RaftCore::RepeatVoteSoon(Instant now) {
  if (std::exchange(campaigned_, true) || membership().IsOnlyVoter(options_.self)) return;
  const absl::Duration quarter = options_.election_timeout / 4;
  election_due_ = std::min(election_due_, now + quarter + RandomBelow(quarter));
}

// A leader at work is heard of within a heartbeat interval or two of the start. If none is, all may
// have just started, and are not to wait for an election timeout. Pre-votes bind nobody, and who
// hears from a leader refuses them: so they follow each other quickly until votes are asked for.
void RaftCore::AskSoonAfterStart(Instant now) {
  if (now >= young_until_) return;
  const absl::Duration interval = options_.heartbeat_interval;
  election_due_ = std::min(election_due_, now + interval + RandomBelow(interval));
}

absl::Duration RaftCore::RandomBelow(absl::Duration bound) {
  const uint64_t bound_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(bound));
  return absl::Nanoseconds(static_cast<int64_t>(prng_.Below(bound_ns)));
}

// Whether this node has reason to believe that the cluster has a leader at work.
bool RaftCore::HearsFromLeader(Instant now) const {
  if (lead()) return true;  // it would have stepped down without a quorum
  return leader() != kNoNode && now - leader_contact_ < options_.election_timeout;
}

// A node that cannot apply could not serve as a leader.
bool RaftCore::MayCampaign() const { return MayBeNeededToLead() && !needs_snapshot_; }

// A leader has this node's acknowledgement: see Lease.
void RaftCore::PromiseVote(Instant now) {
  if (options_.lease_duration == absl::ZeroDuration()) return;
  vote_promised_until_ = std::max(vote_promised_until_, now + options_.VotePromise());
}

// Whether the oldest write under way has taken an election timeout. Such a node can neither lead
// nor be elected, and must not disturb who can.
bool RaftCore::DiskIsStuck(Instant now) const {
  const std::optional<Instant> oldest = persisted_.oldest_issued();
  return oldest && now - *oldest >= options_.election_timeout;
}

void RaftCore::OnPeerDown(Instant now, NodeId peer) {
  if (!follower() || follower()->leader != peer || !MayCampaign()) return;
  now_ = now;
  dirty_ = true;
  leader_contact_ = Instant::InfinitePast();  // others may have this node's vote as well
  hurry_until_ = now + options_.election_timeout;
  // Those who learn of it at the same moment do not campaign at the same moment.
  election_due_ = std::min(election_due_, std::max(now, vote_promised_until_) +
                                              RandomBelow(options_.heartbeat_interval));
}

void RaftCore::StartPreVote(Instant now) {
  if (!MayVote(now)) {  // for itself
    election_due_ = vote_promised_until_ + RandomBelow(options_.heartbeat_interval);
    return;
  }
  ResetElectionDue(now);
  AskSoonAfterStart(now);
  if (!MayCampaign() && !HearsFromLeader(now)) {
    BecomeFollower(now, hard_state_.term, kNoNode, "no leader heard of");
  }
  if (!MayCampaign() || DiskIsStuck(now)) return;
  role_ = PreCandidateState{};
  if (now < hurry_until_) {
    NoteRole("the leader's process is gone", ElectionCause::kLeaderGone);
  } else {
    NoteRole("no leader heard of", ElectionCause::kNoLeaderHeard);
  }
  std::get<PreCandidateState>(role_).votes.Record(options_.self, Vote::kGranted);
  for (const NodeId node : membership().AllVoters()) {
    if (node == options_.self) continue;
    SendInTerm(node, hard_state_.term.Next(), PreVoteRequest{trail_.last()});
  }
  OnVoteTally(now);
}

void RaftCore::StartCampaign(Instant now, VoteRequest request, const char* reason,
                             std::optional<ElectionCause> attempt) {
  ResetElectionDue(now);
  RepeatVoteSoon(now);
  AdoptTerm(hard_state_.term.Next());
  SetVote(options_.self);
  role_ = CandidateState{};
  NoteRole(reason, attempt);
  // The request names this log's end and this node's vote: it waits until both are durable. So does
  // the candidate's vote for itself, which comes back as a message.
  for (const NodeId node : membership().AllVoters()) {
    if (node != options_.self) PromiseLog(node, request);
  }
  PromiseLog(options_.self, VoteResponse{.granted = true});
}

void RaftCore::OnVoteTally(Instant now) {
  if (auto* pre = std::get_if<PreCandidateState>(&role_)) {
    const Votes::Outcome outcome = pre->votes.Tally(membership());
    if (outcome == Votes::Outcome::kWon) {
      StartCampaign(now, VoteRequest{.last = trail_.last()}, "a quorum would vote for this node");
    } else if (outcome == Votes::Outcome::kLost) {
      BecomeFollower(now, hard_state_.term, kNoNode, "a quorum would not vote for this node");
    }
  } else if (auto* candidate = std::get_if<CandidateState>(&role_)) {
    const Votes::Outcome outcome = candidate->votes.Tally(membership());
    if (outcome == Votes::Outcome::kWon) {
      BecomeLeader(now);
    } else if (outcome == Votes::Outcome::kLost) {
      BecomeFollower(now, hard_state_.term, kNoNode, "lost the election");
    }
  }
}

// Changes nothing here, whatever the answer: a pre-vote is an opinion.
void RaftCore::Handle(Instant now, const Message& m, const PreVoteRequest& request) {
  const bool grant = m.term > hard_state_.term && !HearsFromLeader(now) && MayVote(now) &&
                     AtLeastAsUpToDate(request.last, trail_.last());
  if (grant) {
    SendInTerm(m.from, m.term, PreVoteResponse{.granted = true});
  } else {
    // Carries this node's term: one that has fallen behind in terms could never win otherwise, and
    // neither could this node without its log (etcd issue 8243).
    PromiseTerm(m.from, PreVoteResponse{.granted = false});
  }
}

void RaftCore::Handle(Instant now, const Message& m, const PreVoteResponse& response) {
  auto* pre = std::get_if<PreCandidateState>(&role_);
  if (!pre) return;
  pre->votes.Record(m.from, response.granted ? Vote::kGranted : Vote::kDenied);
  OnVoteTally(now);
}

void RaftCore::Handle(Instant now, const Message& m, const VoteRequest& request) {
  const bool free = (hard_state_.vote == kNoNode || hard_state_.vote == m.from) &&
                    (request.leader_asked || MayVote(now));
  const bool grant = follower() && follower()->leader == kNoNode && free &&
                     AtLeastAsUpToDate(request.last, trail_.last());
  if (grant) {
    SetVote(m.from);
    ResetElectionDue(now);
  }
  PromiseTerm(m.from, VoteResponse{.granted = grant});
}

void RaftCore::Handle(Instant now, const Message& m, const VoteResponse& response) {
  auto* candidate = std::get_if<CandidateState>(&role_);
  if (!candidate) return;
  candidate->votes.Record(m.from, response.granted ? Vote::kGranted : Vote::kDenied);
  OnVoteTally(now);
}

void RaftCore::Handle(Instant now, const Message& m, const TimeoutNow&) {
  if (!follower() || follower()->leader != m.from || !MayCampaign()) return;
  if (DiskIsStuck(now)) return;
  StartCampaign(now, VoteRequest{.last = trail_.last(), .leader_asked = true},
                "the leader handed over", ElectionCause::kHandOver);
}

}  // namespace pontoon::raft
