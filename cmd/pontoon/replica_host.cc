#include "cmd/pontoon/replica_host.h"

#include <grpc/grpc.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cmd/pontoon/fatal.h"
#include "cmd/pontoon/random.h"
#include "raft/env/clock.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

kv::StoreOptions StoreOptionsFor(Executor* scrubber) {
  kv::StoreOptions options;
  options.scrub_executor = scrubber;
  options.on_disk_failure = [](const std::string& what) { DieOfFailedDisk(what); };
  return options;
}

raft::RaftNodeOptions NodeOptionsFor(const Config& config, const Identity& identity) {
  raft::RaftNodeOptions options;
  options.core.self = identity.member;
  options.core.heartbeat_interval = config.heartbeat_interval;
  options.core.election_timeout = config.election_timeout;
  options.core.lease_duration = config.leader_lease;
  options.core.clock_rate_error_max = config.clock_rate_error_max;
  options.core.seed = RandomBits();
  options.first_sequence = RandomBits();
  options.retention.step_entries = config.compaction_step_entries;
  options.retention.keep_entries = config.log_entries_kept;
  options.retention.keep_bytes = config.log_retention_bytes;
  options.on_fatal = [](const absl::Status& error) { DieOfFailedDisk(error.message()); };
  return options;
}

raft::GrpcTransportOptions TransportOptionsFor(const Identity& identity) {
  raft::GrpcTransportOptions options;
  options.self = {.cluster_id = identity.cluster.value(),
                  .member = identity.member,
                  .incarnation = RandomBits()};
  return options;
}

raft::PeerAddresses AddressesOf(const Identity& identity) {
  raft::PeerAddresses addresses;
  for (const FoundingMember& founder : identity.founders) {
    addresses[founder.id] = founder.peer_url.HostPort();
  }
  return addresses;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicaHost>> ReplicaHost::Open(const DataFolder& folder) {
  std::unique_ptr<ReplicaHost> host(new ReplicaHost(folder.identity()));
  host->scrubber_ = NewThreadExecutor("scrubber");
  absl::StatusOr<Storage> storage =
      OpenStorage(FileSystem::Posix(), folder, StoreOptionsFor(host->scrubber_.get()));
  if (!storage.ok()) {
    return absl::Status(storage.status().code(), absl::StrCat("data folder ", folder.path(), ": ",
                                                              storage.status().message()));
  }
  host->storage_ = *std::move(storage);
  return host;
}

absl::Status ReplicaHost::Join(const Config& config) {
  transport_ = std::make_unique<raft::GrpcTransport>(TransportOptionsFor(identity_));
  if (absl::Status s = StartPeerServer(config); !s.ok()) return s;
  StartNode(config);
  return absl::OkStatus();
}

absl::Status ReplicaHost::StartPeerServer(const Config& config) {
  grpc::ServerBuilder builder;
  // Otherwise a second server would silently share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  for (const Url& url : config.listen_peer_urls) {
    builder.AddListeningPort(url.HostPort(), grpc::InsecureServerCredentials());
  }
  transport_->AddToServer(&builder);
  peer_server_ = builder.BuildAndStart();
  if (peer_server_ != nullptr) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", JoinUrls(config.listen_peer_urls)));
}

void ReplicaHost::StartNode(const Config& config) {
  const raft::RaftNodeEnvironment environment = {.clock = Clock::System(),
                                                 .transport = transport_.get(),
                                                 .log = storage_.log.get(),
                                                 .state_machine = storage_.store.get()};
  node_ = std::make_unique<raft::RaftNode>(NodeOptionsFor(config, identity_), storage_.restored,
                                           environment, raft::RaftNodeExecutors::Threads());
  transport_->Start(node_.get(), AddressesOf(identity_));
}

void ReplicaHost::HandOver(absl::Duration timeout) {
  const raft::ReplicaStatus status = node_->Status();
  if (status.role != raft::Role::kLeader || status.membership.voters.size() < 2) return;
  absl::Notification done;
  absl::Status result;
  node_->TransferLeadership(kNoNode, Clock::System()->Now() + timeout, [&](absl::Status s) {
    result = std::move(s);
    done.Notify();
  });
  done.WaitForNotification();
  if (result.ok()) {
    LogInfo("handed the leadership over");
  } else {
    LogWarn("could not hand the leadership over: the cluster has to elect a leader",
            {{"reason", std::string(result.message())}});
  }
}

void ReplicaHost::Stop() {
  if (node_ != nullptr) node_->Stop();
  if (transport_ != nullptr) transport_->Stop();
  if (peer_server_ != nullptr) peer_server_->Shutdown(std::chrono::system_clock::now());
}

ReplicaHost::~ReplicaHost() {
  Stop();
  node_.reset();
  // The transport's service belongs to the server for as long as that lives.
  peer_server_.reset();
  transport_.reset();
}

}  // namespace pontoon
