#include "kv/client/member_stubs.h"

namespace pontoon {
namespace {

// gRPC's own pauses between attempts to connect would grow to two minutes. Calls do not wait for
// these attempts: they go to another member.
constexpr int kReconnectFirstMs = 50;
constexpr int kReconnectLongestMs = 1'000;
// The longest that an attempt may take (in spite of the name).
constexpr int kConnectMs = 1'000;

// How often a member is asked for a sign of life while it owes us something, and how long it may
// take: a watch notices by this that its server is gone without a word. Servers forbid to ask more
// often than every five seconds.
constexpr int kKeepaliveMs = 6'000;
constexpr int kKeepaliveTimeoutMs = 3'000;

std::shared_ptr<grpc::Channel> NewChannel(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectLongestMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no bound
  // A proxy from the environment is for web pages.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // What is sent again is decided here (retry_policy.h).
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // The server bounds what it sends.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel("dns:///" + address, credentials, arguments);
}

}  // namespace

MemberStubs::MemberStubs(const std::string& address,
                         const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : channel_(NewChannel(address, credentials)),
      kv_(etcdserverpb::KV::NewStub(channel_)),
      watch_(etcdserverpb::Watch::NewStub(channel_)),
      lease_(etcdserverpb::Lease::NewStub(channel_)),
      cluster_(etcdserverpb::Cluster::NewStub(channel_)),
      auth_(etcdserverpb::Auth::NewStub(channel_)),
      maintenance_(etcdserverpb::Maintenance::NewStub(channel_)) {}

}  // namespace pontoon
