// RoundTrips: how long the peers take to answer the leader's heartbeats.

#ifndef PONTOON_RAFT_NODE_ROUND_TRIPS_H_
#define PONTOON_RAFT_NODE_ROUND_TRIPS_H_

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/env/instruments.h"

namespace pontoon::raft {

// Times one heartbeat to each peer at a time: from when it was handed to the transport until its
// answer, or that to a later one, was taken from the mailbox. What stays without an answer is not
// counted.
//
// Thread safety: all methods may be called from any thread.
class RoundTrips {
 public:
  // Another heartbeat is not waited for any longer.
  static constexpr absl::Duration kPatience = absl::Seconds(10);

  void OnHeartbeat(NodeId peer, RoundId round, Instant now);
  void OnAnswer(NodeId peer, RoundId round, Instant now);
  // Other members, or another term: forgets the questions, and everybody but `members`.
  void BeginAnew(std::span<const NodeId> members);

  std::map<NodeId, DurationHistogram::Reading> Read() const;

 private:
  struct Question {
    RoundId round;
    Instant sent;
  };
  struct Peer {
    std::optional<Question> open;
    DurationHistogram durations;
  };

  mutable std::mutex mutex_;
  std::map<NodeId, Peer> peers_;  // guarded by mutex_
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_ROUND_TRIPS_H_
