#include "cmd/pontoon/server.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "cmd/pontoon/joining.h"
#include "cmd/pontoon/listen_check.h"
#include "cmd/pontoon/signals.h"
#include "kv/service/version.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

// For calls that are under way when the server stops. With a leader they take milliseconds.
constexpr absl::Duration kGrace = absl::Seconds(1);
// For the answers that a replica gives when it stops, to reach their clients.
constexpr absl::Duration kLastWord = absl::Milliseconds(500);

void LogBeginning(const Config& config, const DataFolder& folder) {
  const Identity& identity = folder.identity();
  LogInfo("starting", {{"version", kv::kPontoonVersion},
                       {"name", identity.name},
                       {"member", identity.member},
                       {"cluster", FormatId(identity.cluster.value())},
                       {"data_dir", folder.path()}});
  for (const std::string& notice : config.notices) LogWarn(notice);
  if (const std::optional<std::string> notice = FolderAccessNotice(folder.path())) {
    LogWarn(*notice);
  }
}

absl::Status CheckPorts(const Config& config) {
  const std::vector<Url> metrics =
      config.listen_metrics_given ? config.listen_metrics_urls : std::vector<Url>();
  for (const std::vector<Url>* urls :
       {&config.listen_peer_urls, &config.listen_client_urls, &metrics}) {
    for (const Url& url : *urls) {
      if (absl::Status s = CheckCanListen(url); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config) {
  // First of all, so that nothing is written for a member whose addresses must still be changed.
  if (absl::Status s = CheckPorts(config); !s.ok()) return s;
  absl::StatusOr<DataFolder> folder = DataFolder::Open(FileSystem::Posix(), config, MakeNewcomer);
  if (!folder.ok()) return folder.status();
  std::unique_ptr<Server> server(new Server(config, *std::move(folder)));

  auto replica = ReplicaHost::Open(
      server->folder_, config.rebuild_from_peers ? StateChoice::kDiscard : StateChoice::kKeep);
  if (!replica.ok()) return replica.status();
  server->replica_ = *std::move(replica);
  KeepStopSignals();
  // Only now: a start that is refused, for damage too, is one line with the reason.
  LogBeginning(config, server->folder_);
  const auto on_removed = [] { RequestStop("this member was removed from the cluster"); };
  const std::vector<grpc::Service*> peer_services = {&server->survey_, &server->lessor_service_};
  if (absl::Status s = server->replica_->Join(config, peer_services, on_removed); !s.ok()) return s;

  const Identity& identity = server->folder_.identity();
  server->monitor_ = std::make_unique<MonitorHost>(config, identity, server->replica_.get());
  auto frontend =
      Frontend::Start(config, identity, server->replica_->node(), server->replica_->store(),
                      server->monitor_->reporter(), server->monitor_->NewCallWatchers());
  if (!frontend.ok()) return frontend.status();
  server->frontend_ = *std::move(frontend);
  server->lessor_service_.Begin(server->frontend_->lessor());
  server->survey_.Begin(
      {.self = identity.member,
       .reporter = server->monitor_->reporter(),
       .store = server->replica_->store(),
       .on_suspicion = [frontend = server->frontend_.get()] { frontend->Suspect(); }},
      NewThreadExecutor("survey"));
  const auto read_clients = [frontend = server->frontend_.get()] { return frontend->Activity(); };
  if (absl::Status s = server->monitor_->Listen(config, read_clients); !s.ok()) {
    server->Stop();
    return s;
  }

  LogInfo("serving client requests", {{"clients", JoinUrls(config.listen_client_urls)},
                                      {"peers", JoinUrls(config.listen_peer_urls)},
                                      {"metrics", server->monitor_->addresses()}});
  return server;
}

void Server::Stop() {
  monitor_->Retreat();
  frontend_->Retreat();
  replica_->HandOver(election_timeout_);

  // Calls that wait for the replica, and would for seconds without a leader, are answered when it
  // stops, which may take a while where the disk is slow. Only then are others cancelled: its
  // answer tells a client more.
  absl::Notification shut;
  std::thread shutting([&] {
    frontend_->Shut();
    shut.Notify();
  });
  shut.WaitForNotificationWithTimeout(kGrace);
  replica_->Stop();
  if (!shut.WaitForNotificationWithTimeout(kLastWord)) frontend_->CancelCalls();
  shutting.join();
}

Server::~Server() {
  // The services first: they use the replica and the store, and the monitor counts their calls.
  survey_.End();
  lessor_service_.End();
  if (monitor_ != nullptr) monitor_->EndListening();
  frontend_.reset();
  monitor_.reset();
  replica_.reset();
}

}  // namespace pontoon
