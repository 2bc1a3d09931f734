// Observation: a stream that tells who leads an election.

#ifndef PONTOON_KV_LOCK_OBSERVATION_H_
#define PONTOON_KV_LOCK_OBSERVATION_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "kv/lock/change_waiter.h"
#include "kv/service/leader_monitor.h"
#include "kv/service/member.h"
#include "kv/store/revision.h"
#include "proto/v3election.pb.h"

namespace pontoon::kv {

// As in etcd not each leader and each value need be told, but the latest always is: what comes
// while the client is slow takes the place of what it has not got yet.
//
// Thread safety: as gRPC needs it.
class Observation final : public grpc::ServerWriteReactor<v3electionpb::LeaderResponse>,
                          public ChangeWaiter::Waiter {
 public:
  struct Parts {  // all borrowed
    const Member* member;
    ChangeWaiter* changes;
    LeaderMonitor* leader_monitor;
  };

  // At work from then on; lives until gRPC and all others are done with it.
  static Observation* Start(const Parts& parts, const grpc::CallbackServerContext* call,
                            std::string name);

  std::optional<std::string> Look(const ReadView& view) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  Observation(const Parts& parts, std::string name) : parts_(parts), name_(std::move(name)) {}

  void OnConfirmed(const absl::Status& passed);
  void Fail(const absl::Status& error);
  void End(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Parts parts_;
  const std::string name_;             // of the election
  std::shared_ptr<Observation> self_;  // until OnDone
  LeaderMonitor::Id in_leader_monitor_ = LeaderMonitor::kNone;

  absl::Mutex mutex_;
  Revision told_ ABSL_GUARDED_BY(mutex_);  // the latest change of the leader's key that was seen
  v3electionpb::LeaderResponse writing_;   // of gRPC, while it writes
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<v3electionpb::LeaderResponse> next_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LOCK_OBSERVATION_H_
