// Server: one endpoint with its connection and the stubs to call it by.

#ifndef PONTOON_CMD_PONTOONCTL_SERVER_H_
#define PONTOON_CMD_PONTOONCTL_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "cmd/pontoonctl/deadline.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/outcome.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::ctl {

// Connects when first used, and again whenever the connection is lost. Thread safe.
class Server {
 public:
  explicit Server(const Endpoint& endpoint);

  const std::string& address() const { return address_; }

  etcdserverpb::KV::Stub& kv() { return *kv_; }
  etcdserverpb::Watch::Stub& watch() { return *watch_; }
  etcdserverpb::Lease::Stub& lease() { return *lease_; }
  etcdserverpb::Cluster::Stub& cluster() { return *cluster_; }
  etcdserverpb::Maintenance::Stub& maintenance() { return *maintenance_; }

  // Waits until there is a connection. False if the attempt failed or `deadline` passed; a
  // connection that is still being made then goes on being made.
  bool Connect(Deadline deadline);

  // Why there is no connection, such as "Connection refused". Asks once more, by a request that
  // changes nothing.
  std::string WhyNotConnected();

 private:
  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<etcdserverpb::KV::Stub> kv_;
  const std::unique_ptr<etcdserverpb::Watch::Stub> watch_;
  const std::unique_ptr<etcdserverpb::Lease::Stub> lease_;
  const std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
  const std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
};

using ServerList = std::vector<std::unique_ptr<Server>>;

// One for each endpoint.
ServerList ServersOf(const std::vector<Endpoint>& endpoints);

// How long one endpoint may take to connect before the next one is tried.
inline constexpr absl::Duration kConnectTimeout = absl::Seconds(1);

// The failure after none of `servers` could be connected to.
Reply NotConnected(const ServerList& servers);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SERVER_H_
