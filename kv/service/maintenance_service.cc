#include "kv/service/maintenance_service.h"

#include <algorithm>
#include <string>

#include "kv/errors.h"
#include "kv/service/not_offered.h"
#include "kv/service/outcome.h"
#include "kv/service/version.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::AlarmRequest;
using etcdserverpb::AlarmResponse;
using etcdserverpb::MoveLeaderRequest;
using etcdserverpb::MoveLeaderResponse;
using etcdserverpb::StatusRequest;
using etcdserverpb::StatusResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

void FillRaft(const raft::ReplicaStatus& status, StatusResponse* response) {
  response->set_leader(status.leader.value());
  response->set_raftterm(status.term.value());
  response->set_raftindex(status.commit.value());
  response->set_last_log_index(status.last_index.value());
  response->set_raftappliedindex(status.applied.value());
  const std::vector<NodeId>& learners = status.membership.learners;
  response->set_islearner(std::find(learners.begin(), learners.end(), status.self) !=
                          learners.end());
  if (status.leader == kNoNode) response->add_errors(std::string(kErrNoLeader.text));
  for (const raft::FollowerProgress& progress : status.followers) {
    pontoon::v1::FollowerStatus& follower = *response->add_followers();
    follower.set_member_id(progress.node.value());
    follower.set_match_index(progress.match.value());
    follower.set_last_contact_age_ms(progress.last_contact_age == absl::InfiniteDuration()
                                         ? -1
                                         : absl::ToInt64Milliseconds(progress.last_contact_age));
  }
}

}  // namespace

ServerUnaryReactor* MaintenanceService::Status(CallbackServerContext* call,
                                               const StatusRequest* /*request*/,
                                               StatusResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const absl::Status posted =
      parts_.lane->Post([this, reactor, response](const ReadView& /*view*/, Term /*term*/) {
        FillStatus(response);
        reactor->Finish(grpc::Status::OK);
      });
  if (!posted.ok()) reactor->Finish(ToGrpc(posted));
  return reactor;
}

void MaintenanceService::FillStatus(StatusResponse* response) const {
  const raft::ReplicaStatus status = parts_.member->replica()->Status();
  const KvStore::Statistics statistics = parts_.store->Stats();
  parts_.member->FillHeader(status.term, response->mutable_header());
  response->mutable_header()->set_revision(statistics.revision.value());
  response->set_version(kEtcdApiVersion);
  response->set_storageversion(kEtcdApiVersion);
  response->set_pontoon_version(kPontoonVersion);
  // What LevelDB has not compacted yet is not told apart: all of it counts as in use.
  response->set_dbsize(static_cast<int64_t>(statistics.disk_bytes));
  response->set_dbsizeinuse(static_cast<int64_t>(statistics.disk_bytes));
  response->mutable_downgradeinfo();  // none is under way
  FillRaft(status, response);
}

ServerUnaryReactor* MaintenanceService::Alarm(CallbackServerContext* call,
                                              const AlarmRequest* request,
                                              AlarmResponse* response) {
  if (request->action() != AlarmRequest::GET) {
    return NotOffered(call, "Maintenance.Alarm with ACTIVATE or DEACTIVATE");
  }
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  parts_.member->FillHeader(parts_.member->replica()->CurrentLeadership().term,
                            response->mutable_header());
  response->mutable_header()->set_revision(parts_.store->View()->revision().value());
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

ServerUnaryReactor* MaintenanceService::Defragment(CallbackServerContext* call,
                                                   const etcdserverpb::DefragmentRequest*,
                                                   etcdserverpb::DefragmentResponse*) {
  return NotOffered(call, "Maintenance.Defragment");
}

ServerUnaryReactor* MaintenanceService::Hash(CallbackServerContext* call,
                                             const etcdserverpb::HashRequest*,
                                             etcdserverpb::HashResponse*) {
  return NotOffered(call, "Maintenance.Hash");
}

ServerUnaryReactor* MaintenanceService::HashKV(CallbackServerContext* call,
                                               const etcdserverpb::HashKVRequest*,
                                               etcdserverpb::HashKVResponse*) {
  return NotOffered(call, "Maintenance.HashKV");
}

grpc::ServerWriteReactor<etcdserverpb::SnapshotResponse>* MaintenanceService::Snapshot(
    CallbackServerContext* /*call*/, const etcdserverpb::SnapshotRequest*) {
  return StreamNotOffered<etcdserverpb::SnapshotResponse>("Maintenance.Snapshot");
}

ServerUnaryReactor* MaintenanceService::MoveLeader(CallbackServerContext* call,
                                                   const MoveLeaderRequest* request,
                                                   MoveLeaderResponse* /*response*/) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const NodeId target(request->targetid());
  raft::Replica* const replica = parts_.member->replica();
  const raft::ReplicaStatus status = replica->Status();
  if (status.leader != status.self) {
    reactor->Finish(ToGrpc(kErrNotLeader));
  } else if (!status.membership.IsLastingVoter(target)) {
    reactor->Finish(ToGrpc(kErrBadLeaderTransferee));
  } else if (target == status.self) {
    reactor->Finish(grpc::Status::OK);  // as etcd: it leads
  } else {
    replica->TransferLeadership(
        target, parts_.member->DeadlineOf(*call), [reactor](absl::Status moved) {
          reactor->Finish(moved.ok() ? grpc::Status::OK : ToGrpc(ErrorOfTransfer(moved)));
        });
  }
  return reactor;
}

ServerUnaryReactor* MaintenanceService::Downgrade(CallbackServerContext* call,
                                                  const etcdserverpb::DowngradeRequest*,
                                                  etcdserverpb::DowngradeResponse*) {
  return NotOffered(call, "Maintenance.Downgrade");
}

}  // namespace pontoon::kv
