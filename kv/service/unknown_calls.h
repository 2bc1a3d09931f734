// UnknownCalls: answers the calls that belong to none of a server's services.

#ifndef PONTOON_KV_SERVICE_UNKNOWN_CALLS_H_
#define PONTOON_KV_SERVICE_UNKNOWN_CALLS_H_

#include <grpcpp/generic/async_generic_service.h>

namespace pontoon::kv {

// gRPC would answer UNIMPLEMENTED without a word, and leave people to guess whether the client, a
// proxy or the server is to blame. This says the same in words: etcd's watches, leases and users
// end here.
//
// Thread safety: all methods may be called from any thread.
class UnknownCalls final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_UNKNOWN_CALLS_H_
