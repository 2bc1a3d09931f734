// Linearizable reads without a log entry (ReadIndex, thesis 6.4), on the leader and for followers.

#include "raft/core/quorum.h"
#include "raft/core/raft_core.h"

namespace pontoon::raft {

TakenInTerm RaftCore::BeginRead(Instant now, ReadId id, ReadMode mode) {
  now_ = now;
  if (lead()) {
    dirty_ = true;
    TakeRead(now, options_.self, id, mode);
    return hard_state_.term;
  }
  const NodeId to = leader();
  if (to == kNoNode) return Refusal::kNoLeader;
  dirty_ = true;
  Send(to, ReadRequest{id, mode});
  return hard_state_.term;
}

// No other leader can have committed anything when the lease held at `now`, at which the read had
// begun: the commit index covers all that the read must see.
void RaftCore::TakeRead(Instant now, NodeId origin, ReadId id, ReadMode mode) {
  const bool by_lease = mode == ReadMode::kLease && HoldsLease(now);
  if (mode == ReadMode::kLease) ++(by_lease ? lease_reads_.held : lease_reads_.missed);
  if (by_lease) {
    GrantRead({.origin = origin, .id = id, .index = commit_, .round = RoundId()});
  } else {
    lead()->reads.Add(origin, id);
  }
}

bool RaftCore::HoldsLease(Instant now) const {
  const LeaderState* state = lead();
  // Before an entry of its own term is committed its commit index may be old.
  return state && commit_ >= state->term_start && state->lease.HoldsAt(now);
}

// One round for all reads that came since the last one; the next round starts when that one is
// answered.
void RaftCore::StartReadRound(Instant now) {
  LeaderState& state = *lead();
  const bool may_start = commit_ >= state.term_start && !state.reads.RoundUnderWay();
  if (state.reads.NeedsRound() && may_start) BroadcastHeartbeat(now);
}

void RaftCore::ConfirmRounds() {
  LeaderState& state = *lead();
  const RoundId confirmed = QuorumValue(membership(), [&](NodeId node) {
    return node == options_.self ? state.round : state.peers.at(node).acked_round;
  });
  state.lease.OnRoundConfirmed(confirmed);
  for (const ReadQueue::Read& read : state.reads.TakeConfirmed(confirmed)) GrantRead(read);
}

void RaftCore::GrantRead(const ReadQueue::Read& read) {
  if (read.origin == options_.self) {
    ready_.reads_granted.push_back({read.id, read.index});
  } else {
    Send(read.origin, ReadReply{read.id, read.index});
  }
}

void RaftCore::Handle(Instant now, const Message& m, const ReadRequest& request) {
  if (lead()) {
    TakeRead(now, m.from, request.id, request.mode);
  } else {
    Send(m.from, ReadRefused{request.id});
  }
}

// The index holds whatever has happened to the leader since: it was confirmed after the read began.
void RaftCore::Handle(Instant, const Message& m, const ReadReply& reply) {
  ready_.reads_granted.push_back({reply.id, reply.index});
  if (follower() && m.term == hard_state_.term && follower()->leader == m.from) {
    LearnCommit(reply.index);
  }
}

void RaftCore::Handle(Instant, const Message&, const ReadRefused& refused) {
  ready_.reads_refused.push_back(refused.id);
}

void RaftCore::Handle(Instant, const Message&, const ProposalsRefused& refused) {
  ready_.proposals_refused.insert(ready_.proposals_refused.end(), refused.requests.begin(),
                                  refused.requests.end());
}

}  // namespace pontoon::raft
