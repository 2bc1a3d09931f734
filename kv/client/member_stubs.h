// MemberStubs: the connection to one address, and the calls that can be made on it.

#ifndef PONTOON_KV_CLIENT_MEMBER_STUBS_H_
#define PONTOON_KV_CLIENT_MEMBER_STUBS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "proto/rpc.grpc.pb.h"

namespace pontoon {

// Connects when the first call is made, and again by itself.
//
// Thread safety: all methods may be called from any thread.
class MemberStubs {
 public:
  MemberStubs(const std::string& address,
              const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  MemberStubs(const MemberStubs&) = delete;
  MemberStubs& operator=(const MemberStubs&) = delete;

  etcdserverpb::KV::StubInterface::async_interface& kv() { return *kv_->async(); }
  etcdserverpb::Watch::StubInterface::async_interface& watch() { return *watch_->async(); }
  etcdserverpb::Lease::StubInterface::async_interface& lease() { return *lease_->async(); }
  etcdserverpb::Cluster::StubInterface::async_interface& cluster() { return *cluster_->async(); }
  etcdserverpb::Auth::StubInterface::async_interface& auth() { return *auth_->async(); }
  etcdserverpb::Maintenance::StubInterface::async_interface& maintenance() {
    return *maintenance_->async();
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<etcdserverpb::KV::Stub> kv_;
  const std::unique_ptr<etcdserverpb::Watch::Stub> watch_;
  const std::unique_ptr<etcdserverpb::Lease::Stub> lease_;
  const std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
  const std::unique_ptr<etcdserverpb::Auth::Stub> auth_;
  const std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_MEMBER_STUBS_H_
