#include "kv/service/maintenance_service.h"

#include "kv/errors.h"
#include "kv/service/not_offered.h"
#include "kv/service/outcome.h"

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

}  // namespace

ServerUnaryReactor* MaintenanceService::Status(CallbackServerContext* call,
                                               const StatusRequest* /*request*/,
                                               StatusResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  const absl::Status posted =
      parts_.lane->Post([this, reactor, response](const ReadView& /*view*/, Term /*term*/) {
        parts_.reporter->Fill(response);
        reactor->Finish(grpc::Status::OK);
      });
  if (!posted.ok()) reactor->Finish(ToGrpc(posted));
  return reactor;
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
