// LeaderMonitor: ends the streams of clients that are served only while there is a leader.

#ifndef PONTOON_KV_SERVICE_LEADER_MONITOR_H_
#define PONTOON_KV_SERVICE_LEADER_MONITOR_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// Looks once in an election timeout, as etcd does, and gives up at the third look in a row that
// finds no leader: an election is no reason. A call that begins without a leader is refused before
// it comes here (Member::CheckCall).
//
// Thread safety: all methods may be called from any thread. The work is done on the executor, which
// must be gone before the monitor.
class LeaderMonitor {
 public:
  // Whether this member knows a leader.
  using HasLeader = absl::AnyInvocable<bool() const>;
  using OnLost = absl::AnyInvocable<void() &&>;

  static constexpr int kLeaderlessLooksMax = 3;

  // Borrows `clock` and `executor`.
  LeaderMonitor(HasLeader has_leader, const Clock* clock, Executor* executor,
                absl::Duration look_interval);

  LeaderMonitor(const LeaderMonitor&) = delete;
  LeaderMonitor& operator=(const LeaderMonitor&) = delete;

  using Id = uint64_t;
  static constexpr Id kNone = 0;  // that no stream has

  // Calls `on_lost` once, on the executor, when there has been no leader for too long.
  Id Add(OnLost on_lost);
  // The stream has ended. Its `on_lost` may be under way. Nothing happens if it is not there.
  void Remove(Id id);

 private:
  void LookLater();
  void Look();

  const HasLeader has_leader_;
  const Clock* const clock_;
  Executor* const executor_;
  const absl::Duration look_interval_;

  absl::Mutex mutex_;
  Id last_id_ ABSL_GUARDED_BY(mutex_) = kNone;
  absl::flat_hash_map<Id, OnLost> streams_ ABSL_GUARDED_BY(mutex_);
  bool looking_ ABSL_GUARDED_BY(mutex_) = false;      // a look is to come
  int leaderless_looks_ ABSL_GUARDED_BY(mutex_) = 0;  // in a row
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_LEADER_MONITOR_H_
