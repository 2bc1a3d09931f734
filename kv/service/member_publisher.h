// MemberPublisher: tells the cluster where clients reach this member.

#ifndef PONTOON_KV_SERVICE_MEMBER_PUBLISHER_H_
#define PONTOON_KV_SERVICE_MEMBER_PUBLISHER_H_

#include <atomic>
#include <memory>

#include "absl/time/time.h"
#include "kv/service/member_directory.h"
#include "raft/base/types.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// A member's client addresses are its own affair, set when it is started; the others learn them
// through the log, as in etcd. They are published once in each life of the process, and until that
// has succeeded: to publish twice does no harm. The cluster takes nothing from a member that was
// removed, which then gives up.
//
// Thread safety: Start is called once; the rest happens on the executor, which must be gone before
// the publisher. The replica may answer later still.
class MemberPublisher {
 public:
  struct Parts {  // all borrowed
    raft::Replica* replica;
    const Clock* clock;
    Executor* executor;
  };

  MemberPublisher(const Parts& parts, const MemberInfo& self);

  void Start();

 private:
  enum class Progress { kToDo, kUnderWay, kDone };

  // Looks how far it is; until it is done, once a second.
  void Look();
  void Propose();

  const Parts parts_;
  const Payload command_;
  const std::shared_ptr<std::atomic<Progress>> progress_;  // shared with the replica's answer
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_MEMBER_PUBLISHER_H_
