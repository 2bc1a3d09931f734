// Answers to calls of etcd's API that this version does not have.

#ifndef PONTOON_KV_SERVICE_NOT_OFFERED_H_
#define PONTOON_KV_SERVICE_NOT_OFFERED_H_

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <string>

#include "kv/service/version.h"

namespace pontoon::kv {

// UNIMPLEMENTED, with the name of the call: "Maintenance.Hash".
inline grpc::Status NotOfferedStatus(const std::string& call) {
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                      call + " is not offered by pontoon " + kPontoonVersion);
}

inline grpc::ServerUnaryReactor* NotOffered(grpc::CallbackServerContext* context,
                                            const char* call) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(NotOfferedStatus(call));
  return reactor;
}

template <typename Response>
grpc::ServerWriteReactor<Response>* StreamNotOffered(const char* call) {
  class Reactor final : public grpc::ServerWriteReactor<Response> {
   public:
    explicit Reactor(const char* call) { this->Finish(NotOfferedStatus(call)); }
    void OnDone() override { delete this; }
  };
  return new Reactor(call);
}

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_NOT_OFFERED_H_
