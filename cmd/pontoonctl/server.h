// Server: one endpoint with its connection and the stubs to call it by.

#ifndef PONTOON_CMD_PONTOONCTL_SERVER_H_
#define PONTOON_CMD_PONTOONCTL_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "cmd/pontoonctl/deadline.h"
#include "cmd/pontoonctl/endpoint.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon::ctl {

// Connects when first used, and again whenever the connection is lost. Thread safe.
class Server {
 public:
  explicit Server(const Endpoint& endpoint);

  const std::string& address() const { return address_; }

  etcdserverpb::KV::Stub& kv() { return *kv_; }
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
  const std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
  const std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SERVER_H_
