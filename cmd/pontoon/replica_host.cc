#include "cmd/pontoon/replica_host.h"

#include <grpc/grpc.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cmd/pontoon/fatal.h"
#include "cmd/pontoon/random.h"
#include "kv/service/reflection.h"
#include "raft/env/clock.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

// A stop may have to wait for so long.
constexpr absl::Duration kIntroductionTimeout = absl::Milliseconds(500);

kv::StoreOptions StoreOptionsFor(Executor* scrubber) {
  kv::StoreOptions options;
  options.scrub_executor = scrubber;
  options.on_disk_failure = [](const std::string& what) { DieOfFailedDisk(what); };
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicaHost>> ReplicaHost::Open(const DataFolder& folder,
                                                               StateChoice choice) {
  std::unique_ptr<ReplicaHost> host(new ReplicaHost(folder));
  host->scrubber_ = NewThreadExecutor("scrubber");
  absl::StatusOr<Storage> storage =
      OpenStorage(FileSystem::Posix(), folder, StoreOptionsFor(host->scrubber_.get()), choice);
  if (!storage.ok()) {
    return absl::Status(storage.status().code(), absl::StrCat("data folder ", folder.path(), ": ",
                                                              storage.status().message()));
  }
  host->storage_ = *std::move(storage);
  auto peer_book = PeerBook::Open(FileSystem::Posix(), folder.peers_path());
  if (!peer_book.ok()) {
    return absl::Status(peer_book.status().code(), absl::StrCat("data folder ", folder.path(), ": ",
                                                                peer_book.status().message()));
  }
  host->peer_book_ = *std::move(peer_book);
  return host;
}

raft::GrpcTransportOptions ReplicaHost::TransportOptions() {
  raft::GrpcTransportOptions options;
  options.self = {.cluster_id = identity_.cluster.value(),
                  .member = identity_.member,
                  .incarnation = RandomBits(),
                  .data_incarnation = identity_.incarnation};
  // These are called only once the transport is started, by which time there are a roster and a
  // registrar.
  options.admission = [this](const raft::Greeting& greeting) {
    const absl::Status admitted = peer_book_->Admit(greeting.from, greeting.data_incarnation);
    if (admitted.ok()) roster_->OnGreeting(greeting);
    return admitted;
  };
  options.introducer = [this](raft::IntroductionRequest request, raft::IntroductionCallback done) {
    registrar_->Introduce(std::move(request), std::move(done));
  };
  return options;
}

raft::RaftNodeOptions ReplicaHost::NodeOptions(const Config& config) {
  raft::RaftNodeOptions options;
  options.core.self = identity_.member;
  options.core.heartbeat_interval = config.heartbeat_interval;
  options.core.election_timeout = config.election_timeout;
  options.core.lease_duration = config.leader_lease;
  options.core.clock_rate_error_max = config.clock_rate_error_max;
  options.core.priority = config.leader_priority;
  options.core.seed = RandomBits();
  options.first_sequence = RandomBits();
  options.retention.step_entries = config.compaction_step_entries;
  options.retention.keep_entries = config.log_entries_kept;
  options.retention.keep_bytes = config.log_retention_bytes;
  options.snapshots.bytes_per_second = config.snapshot_bytes_per_second;
  options.on_peers = [this](const raft::PeerNews& news) { roster_->OnPeers(news); };
  options.on_removed = [this] { steward_->Post([this] { OnRemoved(); }); };
  options.on_fatal = [](const absl::Status& error) { DieOfFailedDisk(error.message()); };
  return options;
}

absl::Status ReplicaHost::Join(const Config& config, const std::vector<grpc::Service*>& services,
                               std::function<void()> on_removed) {
  steward_ = NewThreadExecutor("steward");
  on_removed_ = std::move(on_removed);
  transport_ = std::make_unique<raft::GrpcTransport>(TransportOptions());
  if (absl::Status s = StartPeerServer(config, services); !s.ok()) return s;
  StartNode(config);
  return absl::OkStatus();
}

absl::Status ReplicaHost::StartPeerServer(const Config& config,
                                          const std::vector<grpc::Service*>& services) {
  grpc::ServerBuilder builder;
  // Otherwise a second server would silently share the port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetOption(kv::ReflectionOption(false));
  for (const Url& url : config.listen_peer_urls) {
    builder.AddListeningPort(url.HostPort(), grpc::InsecureServerCredentials());
  }
  transport_->AddToServer(&builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
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
  roster_ = std::make_unique<PeerRoster>(
      identity_.member, Clock::System(), steward_.get(),
      [this](const raft::PeerAddresses& addresses, const raft::Whereabouts& own) {
        SetPeers(addresses, own);
      });
  // The log of a node that joins begins before it was added, and is replayed through configurations
  // in which some of those that it was told of were not members yet. A log that has a later one
  // knows better, before it is known to be committed that far.
  if (storage_.restored.memberships.latest().index < identity_.known_at) {
    PeerUrls introduced;
    for (const KnownMember& member : identity_.first_members) {
      introduced[member.id] = {member.peer_url.ToString()};
    }
    roster_->OnHearsay(introduced, identity_.known_at);
  }
  node_ = std::make_unique<raft::RaftNode>(NodeOptions(config), storage_.restored, environment,
                                           raft::RaftNodeExecutors::Threads());
  registrar_ = std::make_unique<Registrar>(Registrar::Parts{&identity_, node_.get(),
                                                            storage_.store.get(), peer_book_.get(),
                                                            Clock::System(), steward_.get()});
  roster_->Begin();
  seeker_ = NewThreadExecutor("seeker");
  finder_ = NewPeerFinder();
  finder_->Start();
}

std::unique_ptr<PeerFinder> ReplicaHost::NewPeerFinder() {
  const raft::IntroductionRequest request{
      .peer_urls = {},
      .self = raft::Identity{.cluster_id = identity_.cluster.value(),
                             .member = identity_.member,
                             .incarnation = 0,
                             .data_incarnation = identity_.incarnation}};
  return std::make_unique<PeerFinder>(PeerFinder::Parts{
      .replica = node_.get(),
      .peers = peer_book_.get(),
      .clock = Clock::System(),
      .executor = seeker_.get(),
      .addresses = [this] { return transport_->Addresses(); },
      .ask =
          [request](const std::string& address) {
            return raft::AskForIntroduction(address, request, kIntroductionTimeout);
          },
      .on_found = [this](const PeerUrls& members,
                         LogIndex index) { roster_->OnHearsay(members, index); },
      .on_removed = [this] { steward_->Post([this] { OnRemoved(); }); }});
}

void ReplicaHost::SetPeers(const raft::PeerAddresses& addresses, const raft::Whereabouts& own) {
  if (dial_ == Dial::kStopped) return;
  if (std::exchange(dial_, Dial::kStarted) == Dial::kStarted) {
    transport_->SetPeers(addresses, own);
  } else {
    transport_->Start(node_.get(), addresses, own);
  }
  std::set<NodeId> peers;
  for (const auto& [node, address] : addresses) peers.insert(node);
  peer_book_->Retain(peers);
}

void ReplicaHost::OnRemoved() {
  if (on_removed_ == nullptr) return;
  LogWarn("this member was removed from the cluster: its data are of no use any more",
          {{"member", identity_.member}});
  if (absl::Status s = folder_.MarkRemoved(); !s.ok()) {
    LogError("cannot mark the data folder as that of a removed member",
             {{"reason", std::string(s.message())}});
  }
  std::exchange(on_removed_, nullptr)();
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
  if (steward_ != nullptr) {
    absl::Notification stopped;
    steward_->Post([&] {
      dial_ = Dial::kStopped;
      transport_->Stop();
      stopped.Notify();
    });
    stopped.WaitForNotification();
  }
  if (peer_server_ != nullptr) peer_server_->Shutdown(std::chrono::system_clock::now());
}

ReplicaHost::~ReplicaHost() {
  Stop();
  seeker_.reset();
  // The node posts to the steward for as long as it lives.
  node_.reset();
  steward_.reset();
  // The transport's service belongs to the server for as long as that lives.
  peer_server_.reset();
  transport_.reset();
}

}  // namespace pontoon
