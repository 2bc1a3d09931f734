// AlarmRaiser: raises alarms about this member.

#ifndef PONTOON_KV_MAINTENANCE_ALARM_RAISER_H_
#define PONTOON_KV_MAINTENANCE_ALARM_RAISER_H_

#include <atomic>
#include <memory>

#include "proto/rpc.pb.h"
#include "raft/env/clock.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// An alarm is part of the replicated state, so it goes through the log. An attempt that comes to
// nothing is not repeated: whoever found the reason will find it again.
//
// Thread safety: all methods may be called from any thread.
class AlarmRaiser {
 public:
  // Both are borrowed. The replica may answer after the raiser is gone.
  AlarmRaiser(raft::Replica* replica, const Clock* clock);

  // Returns at once. Does nothing while an earlier attempt is under way.
  void Raise(etcdserverpb::AlarmType type);

 private:
  raft::Replica* const replica_;
  const Clock* const clock_;
  const NodeId self_;
  const std::shared_ptr<std::atomic<bool>> under_way_;  // shared with the replica's answer
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MAINTENANCE_ALARM_RAISER_H_
