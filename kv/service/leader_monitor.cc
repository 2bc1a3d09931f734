#include "kv/service/leader_monitor.h"

#include <utility>

namespace pontoon::kv {

LeaderMonitor::LeaderMonitor(HasLeader has_leader, const Clock* clock, Executor* executor,
                             absl::Duration look_interval)
    : has_leader_(std::move(has_leader)),
      clock_(clock),
      executor_(executor),
      look_interval_(look_interval) {}

LeaderMonitor::Id LeaderMonitor::Add(OnLost on_lost) {
  Id id = kNone;
  {
    absl::MutexLock lock(&mutex_);
    id = ++last_id_;
    streams_.emplace(id, std::move(on_lost));
    if (std::exchange(looking_, true)) return id;
    leaderless_looks_ = 0;
  }
  LookLater();
  return id;
}

void LeaderMonitor::Remove(Id id) {
  OnLost removed;  // goes without the lock, since it may be the last to hold its stream
  absl::MutexLock lock(&mutex_);
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  removed = std::move(found->second);
  streams_.erase(found);
}

void LeaderMonitor::LookLater() {
  executor_->PostAt(clock_->Now() + look_interval_, [this] { Look(); });
}

void LeaderMonitor::Look() {
  const bool has_leader = has_leader_();
  absl::flat_hash_map<Id, OnLost> lost;
  bool again = false;
  {
    absl::MutexLock lock(&mutex_);
    leaderless_looks_ = has_leader ? 0 : leaderless_looks_ + 1;
    if (leaderless_looks_ >= kLeaderlessLooksMax) lost.swap(streams_);
    looking_ = again = !streams_.empty();
  }
  if (again) LookLater();
  for (auto& [id, on_lost] : lost) std::move(on_lost)();
}

}  // namespace pontoon::kv
