// FollowerNeeds: what a leader's followers still need from its log.

#ifndef PONTOON_RAFT_NODE_FOLLOWER_NEEDS_H_
#define PONTOON_RAFT_NODE_FOLLOWER_NEEDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/core/raft_core.h"
#include "raft/node/log_compactor.h"
#include "raft/node/snapshot_sender.h"

namespace pontoon::raft {

// Looks at the followers from time to time. A follower needs
//
//   the entries after its match, if it was heard of a short while ago, until the log has reached
//   LogRetention::keep_bytes. A new leader gives all of them that while to be heard of;
//
//   the entries after a snapshot that it is being sent;
//
//   the entries after a snapshot that it has, until it has caught up. If they went, it would need
//   another snapshot, and so on for ever under heavy writes. That ends if it is away for long, and
//   once the log has reached keep_bytes and is about twice as long as when the snapshot was sent.
//
// Thread safety: none; one owner.
class FollowerNeeds {
 public:
  // A follower that was heard of within this time is one that is there.
  static constexpr absl::Duration kContactAgeMax = absl::Seconds(10);

  explicit FollowerNeeds(const LogRetention& retention) : retention_(retention) {}

  struct Picture {
    Instant now;
    Term term;
    LogIndex applied;                        // by the leader
    uint64_t log_bytes = 0;                  // of the leader
    std::vector<RaftCore::PeerState> peers;  // none: this node does not lead, or is alone
    std::vector<SnapshotStatus> snapshots;
  };
  struct Needs {
    // The entries after this one; not set: none.
    std::optional<LogIndex> after;
    // The snapshots that nobody needs, or needs to be kept in mind, any more.
    std::vector<SnapshotStatus> over;
  };
  Needs LookAt(const Picture& picture);

 private:
  struct Sent {
    LogIndex index;
    uint64_t log_bytes = 0;  // when that was seen first
  };

  bool MustFollow(const SnapshotStatus& sent, const RaftCore::PeerState& peer,
                  const Picture& picture);

  const LogRetention retention_;
  Term term_;        // in which this node leads
  Instant elected_;  // the first look in it
  std::map<NodeId, Sent> sent_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_FOLLOWER_NEEDS_H_
