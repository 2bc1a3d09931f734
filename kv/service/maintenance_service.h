// MaintenanceService: etcd's Maintenance service.

#ifndef PONTOON_KV_SERVICE_MAINTENANCE_SERVICE_H_
#define PONTOON_KV_SERVICE_MAINTENANCE_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include "kv/service/member.h"
#include "kv/read/read_lane.h"
#include "kv/service/status_reporter.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// Alarms belong to the cluster, and the leader is the leader's to move; all else is about the
// member that is asked, which answers with or without a leader.
//
// Thread safety: as gRPC needs it.
class MaintenanceService final : public etcdserverpb::Maintenance::CallbackService {
 public:
  // All are borrowed, and must outlive the server that the service is registered with.
  struct Parts {
    const Member* member;
    KvStore* store;
    ReadLane* lane;  // for the status: the size of the store is asked from the file system
    const StatusReporter* reporter;
    ReadLane* hashes = nullptr;   // for reads of the whole store
    Executor* streams = nullptr;  // makes the pieces of snapshots
  };

  explicit MaintenanceService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* call,
                                   const etcdserverpb::StatusRequest* request,
                                   etcdserverpb::StatusResponse* response) override;

  grpc::ServerUnaryReactor* Alarm(grpc::CallbackServerContext* call,
                                  const etcdserverpb::AlarmRequest* request,
                                  etcdserverpb::AlarmResponse* response) override;

  // Only the leader does it, as in etcd; the response is empty.
  grpc::ServerUnaryReactor* MoveLeader(grpc::CallbackServerContext* call,
                                       const etcdserverpb::MoveLeaderRequest* request,
                                       etcdserverpb::MoveLeaderResponse* response) override;

  // Unlike etcd's it holds up nobody.
  grpc::ServerUnaryReactor* Defragment(grpc::CallbackServerContext* call,
                                       const etcdserverpb::DefragmentRequest* request,
                                       etcdserverpb::DefragmentResponse* response) override;

  // Hash is of all that is stored, and no two members need to have the same; HashKV is of what
  // clients can see (kv/store/history_hash.h).
  grpc::ServerUnaryReactor* Hash(grpc::CallbackServerContext* call,
                                 const etcdserverpb::HashRequest* request,
                                 etcdserverpb::HashResponse* response) override;
  grpc::ServerUnaryReactor* HashKV(grpc::CallbackServerContext* call,
                                   const etcdserverpb::HashKVRequest* request,
                                   etcdserverpb::HashKVResponse* response) override;

  // The state as this member has it (kv/service/snapshot_file.h). What remains is an estimate.
  grpc::ServerWriteReactor<etcdserverpb::SnapshotResponse>* Snapshot(
      grpc::CallbackServerContext* call, const etcdserverpb::SnapshotRequest* request) override;

  // There is no lower version of this server that could take over, so every target is refused, and
  // no downgrade is ever under way.
  grpc::ServerUnaryReactor* Downgrade(grpc::CallbackServerContext* call,
                                      const etcdserverpb::DowngradeRequest* request,
                                      etcdserverpb::DowngradeResponse* response) override;

 private:
  grpc::ServerUnaryReactor* ListAlarms(grpc::CallbackServerContext* call,
                                       etcdserverpb::AlarmType type,
                                       etcdserverpb::AlarmResponse* response);
  grpc::ServerUnaryReactor* ChangeAlarms(grpc::CallbackServerContext* call,
                                         const etcdserverpb::AlarmRequest& request,
                                         etcdserverpb::AlarmResponse* response);

  const Parts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_MAINTENANCE_SERVICE_H_
