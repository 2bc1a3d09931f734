#include "cmd/pontoonctl/maintenance_calls.h"

#include "proto/rpc.pb.h"

namespace pontoon::ctl {

Reply Compact(Session& session, const Environment& environment, const Compaction& compaction) {
  etcdserverpb::CompactionRequest request;
  request.set_revision(compaction.revision);
  request.set_physical(compaction.physical);
  etcdserverpb::CompactionResponse response;
  return session.Write(Deadline::After(environment.timeout),
                       [&](Server& server, grpc::ClientContext* context) {
                         return server.kv().Compact(context, request, &response);
                       });
}

Reply Defragment(const Endpoint& endpoint, const Environment& environment) {
  etcdserverpb::DefragmentResponse response;
  return AskOnce(endpoint, Deadline::After(environment.timeout),
                 [&](Server& server, grpc::ClientContext* context) {
                   return server.maintenance().Defragment(context, {}, &response);
                 });
}

}  // namespace pontoon::ctl
