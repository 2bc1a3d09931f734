// LeaseService: etcd's Lease service.

#ifndef PONTOON_KV_LEASE_LEASE_SERVICE_H_
#define PONTOON_KV_LEASE_LEASE_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include "kv/lease/lease_granter.h"
#include "kv/lease/lease_keeper.h"
#include "kv/service/leader_monitor.h"
#include "kv/service/member.h"
#include "kv/read/read_lane.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {

// Which leases there are is in the store: grants and revocations are commands, lists are reads. How
// long they live is asked of the keeper.
//
// Thread safety: as gRPC needs it. Nothing here blocks.
class LeaseService final : public etcdserverpb::Lease::CallbackService {
 public:
  // All are borrowed, and must outlive the server that the service is registered with.
  struct Parts {
    const Member* member;
    const KvStore* store;
    LeaseGranter* granter;
    LeaseKeeper* keeper;
    ReadLane* reads;
    LeaderMonitor* leader_monitor;
  };

  explicit LeaseService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* LeaseGrant(grpc::CallbackServerContext* call,
                                       const etcdserverpb::LeaseGrantRequest* request,
                                       etcdserverpb::LeaseGrantResponse* response) override;
  grpc::ServerUnaryReactor* LeaseRevoke(grpc::CallbackServerContext* call,
                                        const etcdserverpb::LeaseRevokeRequest* request,
                                        etcdserverpb::LeaseRevokeResponse* response) override;
  grpc::ServerBidiReactor<etcdserverpb::LeaseKeepAliveRequest,
                          etcdserverpb::LeaseKeepAliveResponse>*
  LeaseKeepAlive(grpc::CallbackServerContext* call) override;
  grpc::ServerUnaryReactor* LeaseTimeToLive(
      grpc::CallbackServerContext* call, const etcdserverpb::LeaseTimeToLiveRequest* request,
      etcdserverpb::LeaseTimeToLiveResponse* response) override;
  grpc::ServerUnaryReactor* LeaseLeases(grpc::CallbackServerContext* call,
                                        const etcdserverpb::LeaseLeasesRequest* request,
                                        etcdserverpb::LeaseLeasesResponse* response) override;

 private:
  // Calls `read` later with a view that shows everything that was committed before the call, and
  // the term; or ends the call with an error.
  void ReadThen(const grpc::CallbackServerContext& call, grpc::ServerUnaryReactor* reactor,
                ReadLane::Read read);

  const Parts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LEASE_SERVICE_H_
