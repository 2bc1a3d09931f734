// ElectionService: etcd's Election service.

#ifndef PONTOON_KV_LOCK_ELECTION_SERVICE_H_
#define PONTOON_KV_LOCK_ELECTION_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include "kv/lock/queue_call.h"
#include "kv/service/leader_monitor.h"
#include "kv/read/read_lane.h"
#include "proto/v3election.grpc.pb.h"

namespace pontoon::kv {

// An election is a queue (queue.h), and who is first leads.
//
// Thread safety: as gRPC needs it. Nothing here blocks.
class ElectionService final : public v3electionpb::Election::CallbackService {
 public:
  // The parts, and the others, must outlive the server that the service is registered with.
  ElectionService(const QueueParts& parts, ReadLane* reads, LeaderMonitor* leader_monitor)
      : parts_(parts), reads_(reads), leader_monitor_(leader_monitor) {}

  grpc::ServerUnaryReactor* Campaign(grpc::CallbackServerContext* call,
                                     const v3electionpb::CampaignRequest* request,
                                     v3electionpb::CampaignResponse* response) override;
  grpc::ServerUnaryReactor* Proclaim(grpc::CallbackServerContext* call,
                                     const v3electionpb::ProclaimRequest* request,
                                     v3electionpb::ProclaimResponse* response) override;
  grpc::ServerUnaryReactor* Leader(grpc::CallbackServerContext* call,
                                   const v3electionpb::LeaderRequest* request,
                                   v3electionpb::LeaderResponse* response) override;
  grpc::ServerWriteReactor<v3electionpb::LeaderResponse>* Observe(
      grpc::CallbackServerContext* call, const v3electionpb::LeaderRequest* request) override;
  grpc::ServerUnaryReactor* Resign(grpc::CallbackServerContext* call,
                                   const v3electionpb::ResignRequest* request,
                                   v3electionpb::ResignResponse* response) override;

 private:
  const QueueParts parts_;
  ReadLane* const reads_;
  LeaderMonitor* const leader_monitor_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LOCK_ELECTION_SERVICE_H_
