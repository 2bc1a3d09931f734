#include "kv/lock/lock_service.h"

#include "kv/outcome.h"
#include "kv/service/command_result.h"
#include "kv/service/write_options.h"
#include "kv/store/write_operations.h"

namespace pontoon::kv {

using etcdserverpb::DeleteRangeRequest;
using etcdserverpb::DeleteRangeResponse;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using v3lockpb::LockRequest;
using v3lockpb::LockResponse;
using v3lockpb::UnlockRequest;
using v3lockpb::UnlockResponse;

ServerUnaryReactor* LockService::Lock(CallbackServerContext* call, const LockRequest* request,
                                      LockResponse* response) {
  return QueueCall::Start(parts_, call,
                          {.name = request->name(),
                           .lease = LeaseId(request->lease()),
                           .value = std::nullopt,
                           .place_lost = kErrSessionExpired},
                          [response](const QueueCall::Turn& turn) {
                            *response->mutable_header() = turn.header;
                            response->set_key(turn.place.key);
                          });
}

ServerUnaryReactor* LockService::Unlock(CallbackServerContext* call, const UnlockRequest* request,
                                        UnlockResponse* response) {
  ServerUnaryReactor* const reactor = call->DefaultReactor();
  DeleteRangeRequest deletion;
  deletion.set_key(request->key());
  absl::Status ready = parts_.member->CheckServing(*call);
  if (ready.ok()) ready = CheckNoWriteMetadata(call->client_metadata());
  if (ready.ok()) ready = CheckDeleteRangeRequest(deletion);
  if (!ready.ok()) {
    reactor->Finish(ToGrpc(ready));
    return reactor;
  }
  ProposeRequest<DeleteRangeResponse>(
      *parts_.member, deletion, parts_.request_bytes_max, parts_.member->DeadlineOf(*call),
      [reactor, response](absl::StatusOr<DeleteRangeResponse> deleted) {
        if (deleted.ok()) response->mutable_header()->Swap(deleted->mutable_header());
        reactor->Finish(ToGrpc(deleted.status()));
      });
  return reactor;
}

}  // namespace pontoon::kv
