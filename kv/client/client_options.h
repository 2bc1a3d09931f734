// ClientOptions: where the servers are, and how a Client deals with them.

#ifndef PONTOON_KV_CLIENT_CLIENT_OPTIONS_H_
#define PONTOON_KV_CLIENT_CLIENT_OPTIONS_H_

#include <grpcpp/security/credentials.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/client/backoff.h"
#include "kv/client/balancer.h"

namespace pontoon {

// A user of the cluster. The token that a member gives for it goes with every call, and is fetched
// anew when it is not taken any more.
struct UserPassword {
  std::string user;
  std::string password;
};

// Fetches a token from elsewhere: calls what it is given once, from any thread, perhaps before it
// returns, with a token that is not empty or with an error. It must not wait. What comes later than
// ClientOptions::timeout counts for nothing, and it is asked again.
using TokenProvider = std::function<void(std::function<void(absl::StatusOr<std::string>)>)>;

struct ClientOptions {
  // "host:port", with "http://" or "https://" before it or without; at least one. For https there
  // must be credentials.
  std::vector<std::string> endpoints = {};

  // How connections are made; null: without TLS. For TLS: grpc::SslCredentials.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
  // At most one of these.
  std::optional<UserPassword> user = {};
  TokenProvider token_provider = nullptr;

  // Of a call that says nothing else, with all its attempts.
  absl::Duration timeout = absl::Seconds(10);
  // After so long an attempt is given up, if another one is harmless; twice as long each time. So
  // long a member may also take to accept a watch; there it does not grow beyond `timeout`.
  absl::Duration attempt_timeout = absl::Seconds(2);
  // After so long a read asks a second member. Nothing: what 95 of 100 recent reads needed
  // (hedge_delay.h). Infinite: never.
  std::optional<absl::Duration> hedge_after = {};

  // Whether to ask the members who the others are, and to use them as well. Off, only `endpoints`
  // are used: behind a proxy, or where the members' own addresses cannot be reached.
  bool discovers_members = true;
  // How often that is asked, and how often each member is asked who leads, which also measures how
  // far away it is.
  absl::Duration discovery_interval = absl::Seconds(30);
  absl::Duration probe_interval = absl::Seconds(10);

  BackoffOptions backoff = {};      // between rounds over all members
  Balancer::Options balancer = {};  // how long who fails is left alone
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_CLIENT_OPTIONS_H_
