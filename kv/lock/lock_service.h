// LockService: etcd's Lock service.

#ifndef PONTOON_KV_LOCK_LOCK_SERVICE_H_
#define PONTOON_KV_LOCK_LOCK_SERVICE_H_

#include <grpcpp/support/server_callback.h>

#include "kv/lock/queue_call.h"
#include "proto/v3lock.grpc.pb.h"

namespace pontoon::kv {

// A lock is a queue (queue.h), and who is first has it.
//
// Thread safety: as gRPC needs it. Nothing here blocks.
class LockService final : public v3lockpb::Lock::CallbackService {
 public:
  // The parts must outlive the server that the service is registered with.
  explicit LockService(const QueueParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Lock(grpc::CallbackServerContext* call,
                                 const v3lockpb::LockRequest* request,
                                 v3lockpb::LockResponse* response) override;
  grpc::ServerUnaryReactor* Unlock(grpc::CallbackServerContext* call,
                                   const v3lockpb::UnlockRequest* request,
                                   v3lockpb::UnlockResponse* response) override;

 private:
  const QueueParts parts_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LOCK_LOCK_SERVICE_H_
