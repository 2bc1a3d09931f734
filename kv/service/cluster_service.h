// ClusterService: etcd's Cluster service.

#ifndef PONTOON_KV_SERVICE_CLUSTER_SERVICE_H_
#define PONTOON_KV_SERVICE_CLUSTER_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include "absl/status/status.h"
#include "kv/service/member.h"
#include "kv/service/member_directory.h"
#include "kv/service/read_lane.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::kv {

// Lists the members. The calls that change them come with membership changes.
//
// Thread safety: as gRPC needs it.
class ClusterService final : public etcdserverpb::Cluster::CallbackService {
 public:
  // All are borrowed, and must outlive the server that the service is registered with. The
  // directory is read on `lane`.
  struct Parts {
    const Member* member;
    const MemberDirectory* directory;
    ReadLane* lane;
  };

  explicit ClusterService(const Parts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* MemberList(grpc::CallbackServerContext* call,
                                       const etcdserverpb::MemberListRequest* request,
                                       etcdserverpb::MemberListResponse* response) override;

  grpc::ServerUnaryReactor* MemberAdd(grpc::CallbackServerContext* call,
                                      const etcdserverpb::MemberAddRequest*,
                                      etcdserverpb::MemberAddResponse*) override;
  grpc::ServerUnaryReactor* MemberRemove(grpc::CallbackServerContext* call,
                                         const etcdserverpb::MemberRemoveRequest*,
                                         etcdserverpb::MemberRemoveResponse*) override;
  grpc::ServerUnaryReactor* MemberUpdate(grpc::CallbackServerContext* call,
                                         const etcdserverpb::MemberUpdateRequest*,
                                         etcdserverpb::MemberUpdateResponse*) override;
  grpc::ServerUnaryReactor* MemberPromote(grpc::CallbackServerContext* call,
                                          const etcdserverpb::MemberPromoteRequest*,
                                          etcdserverpb::MemberPromoteResponse*) override;

 private:
  // Fills `response`, later, and ends the call.
  void List(grpc::ServerUnaryReactor* reactor, etcdserverpb::MemberListResponse* response);
  absl::Status FillList(const ReadView& view, etcdserverpb::MemberListResponse* response) const;

  const Parts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_CLUSTER_SERVICE_H_
