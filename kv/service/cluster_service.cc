#include "kv/service/cluster_service.h"

#include <algorithm>

#include "kv/service/not_offered.h"
#include "kv/service/outcome.h"

namespace pontoon::kv {

using etcdserverpb::MemberListResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* ClusterService::MemberList(CallbackServerContext* call,
                                               const etcdserverpb::MemberListRequest* request,
                                               MemberListResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  if (absl::Status s = parts_.member->CheckLeader(*call); !s.ok()) {
    reactor->Finish(ToGrpc(s));
  } else if (!request->linearizable()) {
    List(reactor, response);
  } else {
    raft::Replica* const replica = parts_.member->replica();
    replica->ReadBarrier(raft::ReadMode::kQuorum, parts_.member->DeadlineOf(*call),
                         [this, reactor, replica, response](absl::Status passed) {
                           if (passed.ok()) return List(reactor, response);
                           reactor->Finish(ToGrpc(ErrorOfRead(passed, replica->Status().leader)));
                         });
  }
  return reactor;
}

void ClusterService::List(ServerUnaryReactor* reactor, MemberListResponse* response) {
  const absl::Status posted =
      parts_.lane->Post([this, reactor, response](const ReadView& view, Term /*term*/) {
        reactor->Finish(ToGrpc(FillList(view, response)));
      });
  if (!posted.ok()) reactor->Finish(ToGrpc(posted));
}

absl::Status ClusterService::FillList(const ReadView& view, MemberListResponse* response) const {
  const auto members = parts_.directory->Members(view);
  if (!members.ok()) return members.status();
  const raft::ReplicaStatus status = parts_.member->replica()->Status();
  const std::vector<NodeId>& learners = status.membership.learners;
  parts_.member->FillHeader(status.term, response->mutable_header());
  for (const MemberInfo& info : *members) {
    etcdserverpb::Member& member = *response->add_members();
    member.set_id(info.id.value());
    member.set_name(info.name);
    for (const std::string& url : info.peer_urls) member.add_peerurls(url);
    for (const std::string& url : info.client_urls) member.add_clienturls(url);
    member.set_islearner(std::find(learners.begin(), learners.end(), info.id) != learners.end());
  }
  return absl::OkStatus();
}

ServerUnaryReactor* ClusterService::MemberAdd(CallbackServerContext* call,
                                              const etcdserverpb::MemberAddRequest*,
                                              etcdserverpb::MemberAddResponse*) {
  return NotOffered(call, "Cluster.MemberAdd");
}

ServerUnaryReactor* ClusterService::MemberRemove(CallbackServerContext* call,
                                                 const etcdserverpb::MemberRemoveRequest*,
                                                 etcdserverpb::MemberRemoveResponse*) {
  return NotOffered(call, "Cluster.MemberRemove");
}

ServerUnaryReactor* ClusterService::MemberUpdate(CallbackServerContext* call,
                                                 const etcdserverpb::MemberUpdateRequest*,
                                                 etcdserverpb::MemberUpdateResponse*) {
  return NotOffered(call, "Cluster.MemberUpdate");
}

ServerUnaryReactor* ClusterService::MemberPromote(CallbackServerContext* call,
                                                  const etcdserverpb::MemberPromoteRequest*,
                                                  etcdserverpb::MemberPromoteResponse*) {
  return NotOffered(call, "Cluster.MemberPromote");
}

}  // namespace pontoon::kv
