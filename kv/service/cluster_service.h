// ClusterService: etcd's Cluster service.

#ifndef PONTOON_KV_SERVICE_CLUSTER_SERVICE_H_
#define PONTOON_KV_SERVICE_CLUSTER_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "kv/service/member.h"
#include "kv/service/member_directory.h"
#include "kv/read/read_lane.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/base/membership_change.h"

namespace pontoon::kv {

// Lists the members and changes who they are, on every member, the leader or not. As in etcd a
// change is answered when it is complete, with the members after it.
//
// One thing is better than in etcd. A member that is added to vote does not count before it keeps
// up: it begins as a learner, and the leader promotes it. So to add a member, even to a cluster of
// one, never costs the quorum.
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
    std::string token;  // the cluster's, for the ids of new members
    // Members at once that have no vote and were not added to get one: MemberAdd makes no more.
    uint32_t learners_max = 1;
  };

  explicit ClusterService(Parts parts) : parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* MemberList(grpc::CallbackServerContext* call,
                                       const etcdserverpb::MemberListRequest* request,
                                       etcdserverpb::MemberListResponse* response) override;

  grpc::ServerUnaryReactor* MemberAdd(grpc::CallbackServerContext* call,
                                      const etcdserverpb::MemberAddRequest* request,
                                      etcdserverpb::MemberAddResponse* response) override;
  grpc::ServerUnaryReactor* MemberRemove(grpc::CallbackServerContext* call,
                                         const etcdserverpb::MemberRemoveRequest* request,
                                         etcdserverpb::MemberRemoveResponse* response) override;
  grpc::ServerUnaryReactor* MemberUpdate(grpc::CallbackServerContext* call,
                                         const etcdserverpb::MemberUpdateRequest* request,
                                         etcdserverpb::MemberUpdateResponse* response) override;
  grpc::ServerUnaryReactor* MemberPromote(grpc::CallbackServerContext* call,
                                          const etcdserverpb::MemberPromoteRequest* request,
                                          etcdserverpb::MemberPromoteResponse* response) override;

 private:
  // The parts that all responses have.
  struct Answer {
    etcdserverpb::ResponseHeader* header;
    google::protobuf::RepeatedPtrField<etcdserverpb::Member>* members;
  };
  template <typename Response>
  static Answer AnswerIn(Response* response) {
    return {response->mutable_header(), response->mutable_members()};
  }

  // Fill `answer`, later, and end the call.
  void List(grpc::ServerUnaryReactor* reactor, Answer answer);
  void Change(const grpc::CallbackServerContext& call, grpc::ServerUnaryReactor* reactor,
              absl::StatusOr<MembershipChange> change, Answer answer);
  void ListAfterChange(grpc::ServerUnaryReactor* reactor, Answer answer);

  absl::Status FillList(const ReadView& view, Answer answer) const;

  const Parts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_CLUSTER_SERVICE_H_
