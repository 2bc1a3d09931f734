#include "cmd/pontoon/monitor_host.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "kv/monitor/endpoints.h"
#include "kv/monitor/survey_json.h"
#include "proto/rpc.pb.h"
#include "proto/v3election.pb.h"
#include "proto/v3lock.pb.h"
#include "raft/env/clock.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

// Surveys for the page; a member that does not answer for so long counts as gone.
constexpr absl::Duration kSurveyPeriod = absl::Seconds(1);
constexpr absl::Duration kSurveyTimeout = absl::Milliseconds(700);

// All that clients may call, also what is not offered yet.
std::vector<const google::protobuf::ServiceDescriptor*> ClientServices() {
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const google::protobuf::FileDescriptor* const file :
       {etcdserverpb::RangeRequest::descriptor()->file(),
        v3lockpb::LockRequest::descriptor()->file(),
        v3electionpb::CampaignRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

void FillDurations(const DurationHistogram::Reading& reading,
                   pontoon::v1::DurationCounts* durations) {
  durations->mutable_counts()->Assign(reading.counts.begin(), reading.counts.end());
  durations->set_sum_us(absl::ToInt64Microseconds(reading.sum));
}

}  // namespace

MonitorHost::MonitorHost(const Config& config, const Identity& identity, const ReplicaHost* replica)
    : name_(identity.name),
      quota_bytes_(config.quota_backend_bytes),
      replica_(replica),
      book_(identity),
      member_({.cluster = identity.cluster}, replica->node(), Clock::System()),
      calls_(ClientServices()),
      health_(
          {.replica = replica->node(),
           .instruments = &replica->node()->instruments(),
           .store = replica->store(),
           .clock = Clock::System()},
          {.election_timeout = config.election_timeout, .timeout = 2 * config.election_timeout}),
      reporter_({.member = &member_,
                 .store = replica->store(),
                 .quota_bytes = quota_bytes_,
                 .add_more = [this](auto* response) { DescribeActivity(response); }}),
      surveyor_({.replica = replica->node(),
                 .store = replica->store(),
                 .directory = &book_,
                 .own = &reporter_}),
      surveys_([this] { return kv::ToJson(surveyor_.Take(kSurveyTimeout), absl::Now()); },
               kSurveyPeriod, Clock::System()) {}

MonitorHost::~MonitorHost() { EndListening(); }

void MonitorHost::EndListening() {
  surveys_.Stop();  // ends the answers that have no end
  http_.reset();
}

kv::CallWatchers MonitorHost::NewCallWatchers() {
  kv::CallWatchers watchers;
  watchers.push_back(calls_.NewInterceptorFactory());
  return watchers;
}

absl::Status MonitorHost::Listen(const Config& config,
                                 std::function<kv::ClientActivity()> read_clients) {
  if (config.listen_metrics_urls.empty()) return absl::OkStatus();
  std::vector<std::string> addresses;
  for (const Url& url : config.listen_metrics_urls) addresses.push_back(url.HostPort());
  auto http = kv::HttpServer::Start(
      addresses, kv::MakeEndpoints({.read_member =
                                        [this, read_clients = std::move(read_clients)] {
                                          return ReadMember(read_clients);
                                        },
                                    .calls = &calls_,
                                    .health = &health_,
                                    .surveys = &surveys_,
                                    .etcd_names = config.etcd_metric_names}));
  if (!http.ok() && !config.listen_metrics_given) {
    LogWarn("metrics and health are not served: set --listen-metrics-urls",
            {{"reason", std::string(http.status().message())}});
    return absl::OkStatus();
  }
  if (!http.ok()) return http.status();
  http_ = *std::move(http);
  addresses_ = JoinUrls(config.listen_metrics_urls);
  return absl::OkStatus();
}

kv::MemberReading MonitorHost::ReadMember(
    const std::function<kv::ClientActivity()>& read_clients) const {
  return {.name = name_,
          .status = replica_->node()->Status(),
          .instruments = &replica_->node()->instruments(),
          .store = replica_->store()->Stats(),
          .store_instruments = &replica_->store()->instruments(),
          .alarms = replica_->store()->View()->alarms(),
          .quota_bytes = quota_bytes_,
          .clients = read_clients(),
          .log_bytes = replica_->log().SizeBytes(),
          .now = Clock::System()->Now()};
}

void MonitorHost::DescribeActivity(etcdserverpb::StatusResponse* response) const {
  response->set_log_bytes(static_cast<int64_t>(replica_->log().SizeBytes()));
  for (const raft::PastRoleChange& past : replica_->node()->RecentRoleChanges()) {
    pontoon::v1::RoleChange& change = *response->add_role_changes();
    change.set_age_ms(absl::ToInt64Milliseconds(past.age));
    change.set_role(kv::ToProto(past.change.role));
    change.set_term(past.change.term.value());
    change.set_leader(past.change.leader.value());
    change.set_reason(past.change.reason);
  }
  const raft::NodeInstruments& instruments = replica_->node()->instruments();
  const kv::CallMetrics::Totals calls = calls_.ReadTotals();
  pontoon::v1::MemberActivity& activity = *response->mutable_activity();
  activity.set_requests(calls.ended);
  activity.set_requests_failed(calls.failed);
  FillDurations(calls.durations, activity.mutable_request_durations());
  activity.set_writes_applied(instruments.proposals.applied.value());
  activity.set_writes_waiting(instruments.proposals.waiting.load(std::memory_order_relaxed));
  FillDurations(instruments.commits.Read(), activity.mutable_commit_durations());
  FillDurations(instruments.log_writes.durations.Read(), activity.mutable_log_write_durations());
}

}  // namespace pontoon
