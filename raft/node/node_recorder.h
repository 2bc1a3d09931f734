// NodeRecorder: watches a node's core, and keeps its instruments.

#ifndef PONTOON_RAFT_NODE_NODE_RECORDER_H_
#define PONTOON_RAFT_NODE_NODE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/core/raft_core.h"
#include "raft/core/ready.h"
#include "raft/node/log_timeline.h"
#include "raft/node/node_instruments.h"
#include "raft/node/replica.h"

namespace pontoon::raft {

// Sees what goes into the core and what comes out of it. Changes nothing.
//
// Thread safety: one owner, but RecentRoleChanges may be called from any thread.
class NodeRecorder {
 public:
  static constexpr size_t kRoleChangesKept = 32;

  // Both must outlive the recorder. `last` is the end of the log.
  NodeRecorder(const RaftCore* core, NodeInstruments* instruments, LogIndex last, Instant now);

  // To be called before the core hears of the message.
  void OnMessage(Instant now, const Message& message);
  // The log begins after `base` now.
  void OnLogCompacted(LogIndex base);
  // To be called before anything of `ready` is done.
  void OnReady(Instant now, const Ready& ready);

  // How far somebody is behind who has the log up to a match. Where that is not known (0), as of a
  // follower that has said nothing since this node leads, it is how far it is behind at the least:
  // what came since then. Otherwise each election would make everybody seem to be far behind.
  struct Lag {
    uint64_t entries = 0;
    uint64_t bytes = 0;            // of those that came while this process has run
    uint64_t entries_unknown = 0;  // the others
    // The oldest of those entries is there since then, or this process is; InfiniteFuture: nothing
    // is missing.
    Instant since = Instant::InfiniteFuture();
  };
  Lag LagOf(LogIndex match) const;

  // The last ones, in their order.
  std::vector<PastRoleChange> RecentRoleChanges(Instant now) const;

 private:
  struct DatedRoleChange {
    Instant at;
    RoleChange change;
  };

  void OnBatch(Instant now, const PersistBatch& batch);
  void OnCommit(Instant now);
  void OnLeaseReads();
  void OnRoleChange(Instant now, const RoleChange& change);

  const RaftCore* const core_;
  NodeInstruments* const instruments_;
  LogTimeline timeline_;
  LogIndex commit_;    // that was seen last
  Instant led_since_;  // when this node was elected last
  LogIndex led_from_;  // and what was the end of its log then
  Leadership leader_;  // that was heard of last
  RaftCore::LeaseReads lease_reads_;

  mutable std::mutex mutex_;
  std::deque<DatedRoleChange> role_changes_;  // guarded by mutex_
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_NODE_RECORDER_H_
