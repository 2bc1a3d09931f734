// Frontend: the part of a server that clients talk to.

#ifndef PONTOON_CMD_PONTOON_FRONTEND_H_
#define PONTOON_CMD_PONTOON_FRONTEND_H_

#include <grpcpp/server.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/identity.h"
#include "cmd/pontoon/member_book.h"
#include "kv/lease/lease_granter.h"
#include "kv/lease/lease_keeper.h"
#include "kv/lease/lease_service.h"
#include "kv/lease/lessor.h"
#include "kv/lock/change_waiter.h"
#include "kv/lock/election_service.h"
#include "kv/lock/lock_service.h"
#include "kv/maintenance/alarm_raiser.h"
#include "kv/maintenance/auto_compactor.h"
#include "kv/maintenance/divergence_watch.h"
#include "kv/maintenance/store_quota.h"
#include "kv/monitor/member_metrics.h"
#include "kv/service/client_server.h"
#include "kv/service/cluster_service.h"
#include "kv/service/health_reporter.h"
#include "kv/service/kv_service.h"
#include "kv/service/leader_monitor.h"
#include "kv/service/maintenance_service.h"
#include "kv/service/member.h"
#include "kv/service/member_publisher.h"
#include "kv/service/peer_digests.h"
#include "kv/read/read_gate.h"
#include "kv/read/read_lane.h"
#include "kv/service/status_reporter.h"
#include "kv/service/unknown_calls.h"
#include "kv/store/kv_store.h"
#include "kv/watch/watch_hub.h"
#include "kv/watch/watch_service.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon {

// Thread safety: one thread.
class Frontend {
 public:
  // Listens, and answers from then on. The pointers are borrowed. `watchers` see the calls. An
  // error is one line for the operator.
  static absl::StatusOr<std::unique_ptr<Frontend>> Start(const Config& config,
                                                         const Identity& identity,
                                                         raft::Replica* replica, kv::KvStore* store,
                                                         const kv::StatusReporter* reporter,
                                                         kv::CallWatchers watchers);
  // Shut must have been called, and have returned.
  ~Frontend();

  // For the other members; nobody may ask it any more when the frontend goes.
  kv::Lessor* lessor() { return &lessor_; }
  // A peer says that this member's state differs from that of a majority. From any thread.
  void Suspect() { divergence_->Suspect(); }

  // What clients have open here. From any thread.
  kv::ClientActivity Activity() const;

  // Tells load balancers to turn to another member.
  void Retreat();

  // Takes no more calls, and returns when those under way have ended. Those that wait for the
  // replica end when it stops.
  void Shut();
  // Cancels the calls that keep Shut waiting. From another thread.
  void CancelCalls();

 private:
  Frontend(const Config& config, const Identity& identity, raft::Replica* replica,
           kv::KvStore* store, const kv::StatusReporter* reporter);

  absl::Status Listen(const Config& config, kv::CallWatchers watchers);
  void WatchForDivergence(kv::KvStore* store);

  const MemberBook book_;
  kv::Member member_;
  kv::ReadGate read_gate_;
  kv::ReadLane point_reads_;
  kv::ReadLane range_reads_;
  kv::ReadLane hashes_;
  std::unique_ptr<Executor> streams_;  // makes the pieces of answers that are streams
  kv::AlarmRaiser alarms_;
  kv::StoreQuota quota_;
  kv::KvService kv_service_;
  kv::MaintenanceService maintenance_service_;
  kv::ClusterService cluster_service_;
  kv::WatchHub watch_hub_;
  kv::WatchService watch_service_;
  std::unique_ptr<Executor> lease_executor_;  // runs the next three
  kv::Lessor lessor_;
  kv::LeaseKeeper lease_keeper_;
  kv::LeaderMonitor leader_monitor_;  // of streams that are no watches
  kv::LeaseGranter lease_granter_;
  kv::LeaseService lease_service_;
  std::unique_ptr<Executor> lock_executor_;  // runs the next one
  kv::ChangeWaiter lock_changes_;
  kv::LockService lock_service_;
  kv::ElectionService election_service_;
  kv::UnknownCalls unknown_calls_;
  std::unique_ptr<grpc::Server> server_;

  std::unique_ptr<kv::HealthReporter> health_;
  std::unique_ptr<kv::MemberPublisher> publisher_;
  std::unique_ptr<kv::AutoCompactor> compactor_;  // null: nothing is compacted
  std::unique_ptr<Executor> housekeeper_;         // runs the three above

  kv::PeerDigests peer_digests_;
  std::unique_ptr<kv::DivergenceWatch> divergence_;
  std::unique_ptr<Executor> comparer_;  // the watch's: waits for answers
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_FRONTEND_H_
