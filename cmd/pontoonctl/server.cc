#include "cmd/pontoonctl/server.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace pontoon::ctl {
namespace {

// How long WhyNotConnected may take; a refused connection is known within a millisecond.
constexpr absl::Duration kDiagnosisTimeout = absl::Milliseconds(500);

// gRPC's own pauses between connection attempts: it would start with a second and end with two
// minutes, which is longer than any of our commands.
constexpr int kReconnectFirstMs = 50;
constexpr int kReconnectLongestMs = 500;

// How often a server is asked for a sign of life while it owes us something, and how long it may
// take: a watch notices by this that its server is gone without a word. Servers forbid to ask more
// often than every five seconds.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectLongestMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no bound
  // A proxy from the environment is for web pages.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // One connection for each Server: a benchmark asks for many to the same endpoint.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A page of a range may hold many values; the server bounds what it sends.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel("dns:///" + address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

// gRPC wraps the reason in several sentences; the last is the one that an operator knows.
std::string LastReason(absl::string_view message) {
  const size_t colon = message.rfind(": ");
  return std::string(colon == absl::string_view::npos ? message : message.substr(colon + 2));
}

}  // namespace

Server::Server(const Endpoint& endpoint)
    : address_(endpoint.address()),
      channel_(NewChannel(address_)),
      kv_(etcdserverpb::KV::NewStub(channel_)),
      watch_(etcdserverpb::Watch::NewStub(channel_)),
      lease_(etcdserverpb::Lease::NewStub(channel_)),
      cluster_(etcdserverpb::Cluster::NewStub(channel_)),
      maintenance_(etcdserverpb::Maintenance::NewStub(channel_)) {}

bool Server::Connect(Deadline deadline) {
  for (;;) {
    const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (!channel_->WaitForStateChange(state, deadline.ToGpr())) return false;
    // The state at the start may be an old failure, so only a new one counts.
    if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_TRANSIENT_FAILURE) return false;
  }
}

std::string Server::WhyNotConnected() {
  grpc::ClientContext context;
  context.set_deadline(Deadline::After(kDiagnosisTimeout).ToGpr());
  etcdserverpb::StatusResponse response;
  const grpc::Status status = maintenance_->Status(&context, {}, &response);
  if (status.ok()) return "it answers only now";
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return "it does not answer";
  return LastReason(status.error_message());
}

ServerList ServersOf(const std::vector<Endpoint>& endpoints) {
  ServerList servers;
  for (const Endpoint& endpoint : endpoints) servers.push_back(std::make_unique<Server>(endpoint));
  return servers;
}

Reply NotConnected(const ServerList& servers) {
  const std::string reasons =
      absl::StrJoin(servers, ", ", [](std::string* out, const std::unique_ptr<Server>& server) {
        absl::StrAppend(out, server->address(), " (", server->WhyNotConnected(), ")");
      });
  const std::string message =
      absl::StrCat("cannot connect to ", reasons,
                   ": is a server running and listening there, and is --endpoints right?");
  return {Outcome::kNotApplied, grpc::Status(grpc::StatusCode::UNAVAILABLE, message)};
}

}  // namespace pontoon::ctl
