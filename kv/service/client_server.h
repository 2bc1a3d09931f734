// The gRPC server that clients talk to.

#ifndef PONTOON_KV_SERVICE_CLIENT_SERVER_H_
#define PONTOON_KV_SERVICE_CLIENT_SERVER_H_

#include <grpcpp/server.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/server_interceptor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class CallbackGenericService;
class Service;
}  // namespace grpc

namespace pontoon::kv {

// What surrounds a command of the largest size on the wire; etcd allows as much.
inline constexpr size_t kWireOverheadBytes = 512 << 10;

using CallWatchers =
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>;

struct ClientServerOptions {
  std::vector<std::string> addresses;           // "host:port" each; all must be free
  size_t request_bytes_max = 3 << 19;           // see RequestLimits
  int concurrent_streams_max = 1024;            // on one connection
  size_t memory_bytes_max = size_t{512} << 20;  // for what gRPC holds of calls and connections
  bool reflection = false;                      // tells clients what services and messages it has
};

// Starts a server with `services`, and `unknown` for the calls that belong to none of them (null:
// gRPC refuses them, without a word). All are borrowed until the server is gone. It also answers
// grpc.health.v1.Health for the service "", at first with NOT_SERVING. `watchers` see all calls.
// UNAVAILABLE, for the operator, if an address cannot be listened on.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartClientServer(
    const ClientServerOptions& options, const std::vector<grpc::Service*>& services,
    grpc::CallbackGenericService* unknown = nullptr, CallWatchers watchers = {});

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_CLIENT_SERVER_H_
