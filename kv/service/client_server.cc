#include "kv/service/client_server.h"

#include <grpc/grpc.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kv/service/reflection.h"

namespace pontoon::kv {
namespace {

// As etcd: a client that pings more often than this is sent away.
constexpr int kClientPingIntervalMsMin = 5'000;
// A connection that does not finish its handshake costs memory (etcd: GHSA-6vch).
constexpr int kHandshakeTimeoutMs = 10'000;

// Health checks are switched on for all servers of the process that are built meanwhile; peers'
// servers need none.
class HealthServiceEnabled {
 public:
  HealthServiceEnabled() { grpc::EnableDefaultHealthCheckService(true); }
  ~HealthServiceEnabled() { grpc::EnableDefaultHealthCheckService(false); }
};

void SetLimits(const ClientServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(options.request_bytes_max + kWireOverheadBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.concurrent_streams_max);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingIntervalMsMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Otherwise a second server would silently share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  grpc::ResourceQuota quota("clients");
  quota.Resize(options.memory_bytes_max);
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<grpc::Server>> StartClientServer(
    const ClientServerOptions& options, const std::vector<grpc::Service*>& services,
    grpc::CallbackGenericService* unknown, CallWatchers watchers) {
  const HealthServiceEnabled health;
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  std::vector<int> ports(options.addresses.size());
  for (size_t i = 0; i < ports.size(); ++i) {
    builder.AddListeningPort(options.addresses[i], grpc::InsecureServerCredentials(), &ports[i]);
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  if (unknown != nullptr) builder.RegisterCallbackGenericService(unknown);
  if (!watchers.empty()) {
    builder.experimental().SetInterceptorCreators(std::move(watchers));
  }
  builder.SetOption(ReflectionOption(options.reflection));

  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i] != 0) continue;
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.addresses[i]));
  }
  if (server == nullptr) return absl::UnavailableError("gRPC could not start the server");
  server->GetHealthCheckService()->SetServingStatus(false);
  return server;
}

}  // namespace pontoon::kv
