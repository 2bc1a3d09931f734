#include "kv/service/testing/service_fixture.h"

#include <chrono>
#include <utility>

#include "kv/service/client_server.h"
#include "raft/env/clock.h"

namespace pontoon::kv {

using etcdserverpb::Cluster;
using etcdserverpb::KV;
using etcdserverpb::Maintenance;

absl::StatusOr<std::vector<MemberInfo>> NamesOnly::Members(const ReadView&,
                                                           const Membership& membership) const {
  std::vector<MemberInfo> members;
  for (const NodeId node : membership.AllNodes()) {
    const std::string name = node == kSelf ? "a" : node == kPeer ? "b" : "";
    members.push_back({node, name, membership.peer_urls.at(node), {}});
    if (node == kSelf) members.back().client_urls = {"http://a:2379"};
  }
  return members;
}

Membership SelfAndPeer() {
  return {.voters = {kSelf, kPeer},
          .peer_urls = {{kSelf, {"http://a:2380"}}, {kPeer, {"http://b:2380"}}}};
}

ServiceTest::ServiceTest() : scrubber_(NewThreadExecutor("scrubber")) {
  StoreOptions options;
  options.scrub_executor = scrubber_.get();
  store_ = OpenFreshStore(options);
  replica_ = std::make_unique<InstantReplica>(kSelf, store_.get());
  replica_->SetMembership(SelfAndPeer());
  member_ = std::make_unique<Member>(Member::Options{kCluster}, replica_.get(), Clock::System());
  gate_ = std::make_unique<ReadGate>(ReadGate::Parts{replica_.get(), store_.get(), Clock::System()},
                                     NewThreadExecutor("revisions"));
  points_ = std::make_unique<ReadLane>(store_.get(), replica_.get(), NewThreadExecutor("points"));
  ranges_ = std::make_unique<ReadLane>(store_.get(), replica_.get(), NewThreadExecutor("ranges"));
  kv_service_ = std::make_unique<KvService>(
      KvService::Parts{member_.get(), store_.get(), gate_.get(), points_.get(), ranges_.get()},
      RequestLimits{.request_bytes_max = kRequestBytesMax});
  reporter_ = std::make_unique<StatusReporter>(StatusReporter::Parts{
      .member = member_.get(),
      .store = store_.get(),
      .add_more = [](etcdserverpb::StatusResponse* response) { response->set_log_bytes(4711); }});
  maintenance_service_ = std::make_unique<MaintenanceService>(
      MaintenanceService::Parts{member_.get(), store_.get(), points_.get(), reporter_.get()});
  cluster_service_ = std::make_unique<ClusterService>(
      ClusterService::Parts{member_.get(), &directory_, points_.get(), "token"});

  ClientServerOptions server_options;
  server_options.request_bytes_max = kRequestBytesMax;
  auto server = StartClientServer(
      server_options, {kv_service_.get(), maintenance_service_.get(), cluster_service_.get()},
      &unknown_calls_);
  EXPECT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  channel_ = server_->InProcessChannel(grpc::ChannelArguments());
  kv_ = KV::NewStub(channel_);
  maintenance_ = Maintenance::NewStub(channel_);
  cluster_ = Cluster::NewStub(channel_);
}

ServiceTest::~ServiceTest() {
  server_->Shutdown(std::chrono::system_clock::now());
  replica_.reset();  // its thread uses the store
}

}  // namespace pontoon::kv
