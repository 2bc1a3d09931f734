// Member: what every service knows of the member that it speaks for.

#ifndef PONTOON_KV_SERVICE_MEMBER_H_
#define PONTOON_KV_SERVICE_MEMBER_H_

#include <grpcpp/server_context.h>

#include <atomic>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "kv/service/cluster_id.h"
#include "proto/rpc.pb.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"
#include "raft/env/clock.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// Thread safety: all methods may be called from any thread.
class Member {
 public:
  struct Options {
    ClusterId cluster;
    // After this long a call has failed, if the client does not give up before. etcd allows 5 s and
    // two election timeouts: time for a leader to be found and for the work.
    absl::Duration call_timeout = absl::Seconds(7);
  };

  // Borrows `replica` and `clock`.
  Member(const Options& options, raft::Replica* replica, const Clock* clock);

  ClusterId cluster() const { return options_.cluster; }
  NodeId id() const { return id_; }
  raft::Replica* replica() const { return replica_; }

  // When `call` has failed: the client's deadline, or ours if that is sooner.
  Instant DeadlineOf(const grpc::CallbackServerContext& call) const;

  // Whether the client wants to be served only by a member that knows a leader.
  static bool NeedsLeader(const grpc::CallbackServerContext& call);
  // The same for what is done when the call is over.
  Instant DeadlineFromNow() const;

  // Whether a learner serves a call, which has no part in what the cluster agrees on. As in etcd it
  // answers what is about its own state alone: serializable ranges, snapshots, its status.
  enum class Learners { kRefuse, kServe };
  // What a member is, and what the client says of itself and wants of the member, before anything
  // else is looked at. ErrNotSupportedForLearner; ErrInvalidClientAPIVersion if the client's
  // version is not text; ErrNoLeader if it wants to be served only by a member that knows a leader
  // (etcd's WithRequireLeader), and this one knows none.
  absl::Status CheckCall(const grpc::CallbackServerContext& call,
                         Learners learners = Learners::kRefuse) const;

  // Whether this member's state is known to differ from that of the others.
  void SetCorrupt(bool is_corrupt) { is_corrupt_ = is_corrupt; }
  bool IsCorrupt() const { return is_corrupt_; }

  // OK if this member may serve `call`; otherwise ErrCorrupt, or as CheckCall.
  absl::Status CheckServing(const grpc::CallbackServerContext& call,
                            Learners learners = Learners::kRefuse) const;

  // Fills in who answers, in `term`. The revision is left as it is.
  void FillHeader(Term term, etcdserverpb::ResponseHeader* header) const;

 private:
  const Options options_;
  raft::Replica* const replica_;
  const Clock* const clock_;
  const NodeId id_;
  std::atomic<bool> is_corrupt_ = false;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_MEMBER_H_
