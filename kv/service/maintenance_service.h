// MaintenanceService: etcd's Maintenance service.

#ifndef PONTOON_KV_SERVICE_MAINTENANCE_SERVICE_H_
#define PONTOON_KV_SERVICE_MAINTENANCE_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include "kv/service/member.h"
#include "kv/service/read_lane.h"
#include "kv/service/status_reporter.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {

// The status of the member that is asked, which it gives with or without a leader. There are no
// alarms yet: the list of them is empty, and none can be raised or cleared.
//
// Thread safety: as gRPC needs it.
class MaintenanceService final : public etcdserverpb::Maintenance::CallbackService {
 public:
  // All are borrowed, and must outlive the server that the service is registered with. The status
  // is made on `lane`, since the size of the store is asked from the file system.
  struct Parts {
    const Member* member;
    const KvStore* store;
    ReadLane* lane;
    const StatusReporter* reporter;
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

  grpc::ServerUnaryReactor* Defragment(grpc::CallbackServerContext* call,
                                       const etcdserverpb::DefragmentRequest*,
                                       etcdserverpb::DefragmentResponse*) override;
  grpc::ServerUnaryReactor* Hash(grpc::CallbackServerContext* call,
                                 const etcdserverpb::HashRequest*,
                                 etcdserverpb::HashResponse*) override;
  grpc::ServerUnaryReactor* HashKV(grpc::CallbackServerContext* call,
                                   const etcdserverpb::HashKVRequest*,
                                   etcdserverpb::HashKVResponse*) override;
  grpc::ServerWriteReactor<etcdserverpb::SnapshotResponse>* Snapshot(
      grpc::CallbackServerContext* call, const etcdserverpb::SnapshotRequest*) override;
  grpc::ServerUnaryReactor* Downgrade(grpc::CallbackServerContext* call,
                                      const etcdserverpb::DowngradeRequest*,
                                      etcdserverpb::DowngradeResponse*) override;

 private:
  const Parts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_MAINTENANCE_SERVICE_H_
