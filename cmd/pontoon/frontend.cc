#include "cmd/pontoon/frontend.h"

#include <grpc/grpc.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cmd/pontoon/random.h"
#include "kv/errors.h"
#include "raft/env/clock.h"

namespace pontoon {
namespace {

// A stop may have to wait for so long.
constexpr absl::Duration kDigestTimeout = absl::Milliseconds(500);
// Long after CancelCalls is due.
constexpr std::chrono::seconds kShutTimeout{30};

// As etcd: time for a leader to be found, and then for the work.
absl::Duration CallTimeout(const Config& config) {
  return absl::Seconds(5) + 2 * config.election_timeout;
}

kv::ClientServerOptions ServerOptionsFor(const Config& config) {
  kv::ClientServerOptions options;
  for (const Url& url : config.listen_client_urls) options.addresses.push_back(url.HostPort());
  options.request_bytes_max = config.request_bytes_max;
  options.concurrent_streams_max = config.concurrent_streams_max;
  options.reflection = config.enable_reflection;
  return options;
}

kv::WatchHubOptions WatchOptionsFor(const Config& config) {
  kv::WatchHubOptions options;
  options.progress_interval = config.watch_progress_interval;
  options.leader_look_interval = config.election_timeout;  // as etcd
  options.fragment_bytes_max = config.request_bytes_max + kv::kWireOverheadBytes;
  return options;
}

kv::LeaderMonitor::HasLeader HasLeader(const raft::Replica* replica) {
  return [replica] { return replica->CurrentLeadership().leader != kNoNode; };
}

kv::MemberInfo OwnInfo(const Config& config, const Identity& identity) {
  kv::MemberInfo info{
      .id = identity.member, .name = identity.name, .peer_urls = {}, .client_urls = {}};
  for (const Url& url : config.advertise_client_urls) info.client_urls.push_back(url.ToString());
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Frontend>> Frontend::Start(
    const Config& config, const Identity& identity, raft::Replica* replica, kv::KvStore* store,
    const kv::StatusReporter* reporter, kv::CallWatchers watchers) {
  std::unique_ptr<Frontend> frontend(new Frontend(config, identity, replica, store, reporter));
  frontend->WatchForDivergence(store);
  if (absl::Status s = frontend->Listen(config, std::move(watchers)); !s.ok()) return s;

  frontend->housekeeper_ = NewThreadExecutor("housekeeper");
  Executor* const executor = frontend->housekeeper_.get();
  frontend->health_ = std::make_unique<kv::HealthReporter>(
      kv::HealthReporter::Parts{replica, &frontend->member_,
                                frontend->server_->GetHealthCheckService(), Clock::System(),
                                executor},
      std::max(config.heartbeat_interval, absl::Milliseconds(100)));
  frontend->health_->Start();
  frontend->publisher_ = std::make_unique<kv::MemberPublisher>(
      kv::MemberPublisher::Parts{replica, Clock::System(), executor}, OwnInfo(config, identity));
  frontend->publisher_->Start();
  if (auto policy = kv::MakeCompactionPolicy(config.auto_compaction)) {
    frontend->compactor_ = std::make_unique<kv::AutoCompactor>(
        kv::AutoCompactor::Parts{replica, store, Clock::System(), executor}, std::move(policy));
    frontend->compactor_->Start();
  }
  return frontend;
}

Frontend::Frontend(const Config& config, const Identity& identity, raft::Replica* replica,
                   kv::KvStore* store, const kv::StatusReporter* reporter)
    : book_(identity),
      member_({.cluster = identity.cluster, .call_timeout = CallTimeout(config)}, replica,
              Clock::System()),
      read_gate_({replica, store, Clock::System()}, NewThreadExecutor("revisions")),
      point_reads_(store, replica, NewThreadExecutor("point-reads")),
      range_reads_(store, replica, NewThreadExecutor("range-reads")),
      hashes_(store, replica, NewThreadExecutor("hashes")),
      streams_(NewThreadExecutor("streams")),
      alarms_(replica, Clock::System()),
      quota_(store, &alarms_, config.quota_backend_bytes),
      kv_service_(
          {&member_, store, &read_gate_, &point_reads_, &range_reads_, &quota_, streams_.get()},
          {.request_bytes_max = config.request_bytes_max,
           .txn_ops_max = config.txn_ops_max,
           .range_bytes_max = config.range_bytes_max}),
      maintenance_service_({&member_, store, &point_reads_, reporter, &hashes_, streams_.get()}),
      cluster_service_({&member_, &book_, &point_reads_, identity.token, config.learners_max}),
      watch_hub_(
          store, Clock::System(), WatchOptionsFor(config),
          [this](etcdserverpb::ResponseHeader* header) {
            member_.FillHeader(member_.replica()->CurrentLeadership().term, header);
          },
          HasLeader(replica), NewThreadExecutor("watches")),
      watch_service_(&member_, &watch_hub_),
      lease_executor_(NewThreadExecutor("lessor")),
      lessor_({replica, store, Clock::System(), lease_executor_.get()},
              {.election_timeout = config.election_timeout,
               .look_interval = config.heartbeat_interval}),
      lease_keeper_(
          {replica, &lessor_, Clock::System(), lease_executor_.get()},
          {.answer_timeout = config.election_timeout, .retry_interval = config.heartbeat_interval}),
      leader_monitor_(HasLeader(replica), Clock::System(), lease_executor_.get(),
                      config.election_timeout),
      lease_granter_(
          &member_,
          {.election_timeout = config.election_timeout, .quota = &quota_, .seed = RandomBits()}),
      lease_service_(
          {&member_, store, &lease_granter_, &lease_keeper_, &range_reads_, &leader_monitor_}),
      lock_executor_(NewThreadExecutor("locks")),
      lock_changes_(store, lock_executor_.get()),
      lock_service_({&member_, &lease_granter_, &lock_changes_, config.request_bytes_max}),
      election_service_({&member_, &lease_granter_, &lock_changes_, config.request_bytes_max},
                        &range_reads_, &leader_monitor_) {}

Frontend::~Frontend() {
  lock_changes_.Close();
  lock_executor_.reset();
  lease_keeper_.Close();
  lessor_.Close();
  lease_executor_.reset();
}

absl::Status Frontend::Listen(const Config& config, kv::CallWatchers watchers) {
  auto server =
      kv::StartClientServer(ServerOptionsFor(config),
                            {&kv_service_, &maintenance_service_, &cluster_service_,
                             &watch_service_, &lease_service_, &lock_service_, &election_service_},
                            &unknown_calls_, std::move(watchers));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::OkStatus();
}

void Frontend::WatchForDivergence(kv::KvStore* store) {
  comparer_ = NewThreadExecutor("comparer");
  divergence_ = std::make_unique<kv::DivergenceWatch>(kv::DivergenceWatch::Parts{
      .replica = member_.replica(),
      .store = store,
      .clock = Clock::System(),
      .executor = comparer_.get(),
      .alarms = &alarms_,
      .ask =
          [this](const PeerUrls& members, kv::DivergenceWatch::Tone tone) {
            return peer_digests_.Ask(members, tone, kDigestTimeout);
          },
      .set_corrupt =
          [this](bool is_corrupt) {
            const bool is_news = is_corrupt && !member_.IsCorrupt();
            member_.SetCorrupt(is_corrupt);
            if (is_news) watch_hub_.EndOpen(kv::kErrCorrupt);
          }});
  divergence_->Start();
}

void Frontend::Retreat() {
  housekeeper_.reset();
  server_->GetHealthCheckService()->SetServingStatus(false);
}

kv::ClientActivity Frontend::Activity() const {
  const kv::WatchHub::Statistics watches = watch_hub_.Stats();
  const kv::Lessor::Statistics leases = lessor_.Stats();
  return {.watch_streams = watches.streams,
          .watchers = watches.watchers,
          .slow_watchers = watches.slow_watchers,
          .watch_events = watches.events,
          .leases = leases.leases,
          .leases_expired = leases.expired};
}

void Frontend::Shut() {
  watch_hub_.EndAll(kv::kErrStopped);
  // What waits there does not wait for this member's replica.
  lease_keeper_.Stop();
  read_gate_.Stop();
  server_->Shutdown(std::chrono::system_clock::now() + kShutTimeout);
}

// As grpc::Server does at the end of Shutdown's time.
void Frontend::CancelCalls() { grpc_server_cancel_all_calls(server_->c_server()); }

}  // namespace pontoon
