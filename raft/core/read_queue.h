// ReadQueue: the linearizable reads that a leader has not yet confirmed.

#ifndef PONTOON_RAFT_CORE_READ_QUEUE_H_
#define PONTOON_RAFT_CORE_READ_QUEUE_H_

#include <deque>
#include <vector>

#include "raft/base/types.h"

namespace pontoon::raft {

// Implements the ReadIndex protocol (thesis 6.4) for one term of one leader. A read passes three
// stations:
//
//   1. it waits until the leader has committed an entry of its term: before that its commit index
//   may be old;
//   2. it is given the commit index, and waits for a round of heartbeats that starts after it came;
//   3. a quorum answers that round, or a later one: the read is confirmed at its own index.
//
// Rounds are numbered by the leader and rise within the term, so that a late answer to an old round
// confirms nothing newer (etcd issue 20418).
class ReadQueue {
 public:
  struct Read {
    NodeId origin;  // who asked: this leader or a follower
    ReadId id;
    LogIndex index;
    RoundId round;
  };

  bool empty() const { return waiting_.empty() && in_round_.empty(); }
  // Reads wait for a round to be started.
  bool NeedsRound() const { return !waiting_.empty(); }
  // A round that was started for reads is unanswered.
  bool RoundUnderWay() const { return !in_round_.empty(); }

  void Add(NodeId origin, ReadId id) { waiting_.push_back({origin, id, LogIndex(), RoundId()}); }
  // Heartbeats of `round` go out now, and the commit index is `commit`: both are later than all
  // reads here.
  void OnRoundStarted(RoundId round, LogIndex commit);
  // A quorum answered `round`. Returns the reads that this confirms, in their order.
  std::vector<Read> TakeConfirmed(RoundId round);
  // Every read in the queue, to be refused.
  std::vector<Read> TakeAll();

 private:
  std::deque<Read> waiting_;
  std::deque<Read> in_round_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_READ_QUEUE_H_
