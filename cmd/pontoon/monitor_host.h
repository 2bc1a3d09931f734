// MonitorHost: what operators see of this server, wired together.

#ifndef PONTOON_CMD_PONTOON_MONITOR_HOST_H_
#define PONTOON_CMD_PONTOON_MONITOR_HOST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/identity.h"
#include "cmd/pontoon/member_book.h"
#include "cmd/pontoon/replica_host.h"
#include "kv/monitor/call_metrics.h"
#include "kv/monitor/cluster_survey.h"
#include "kv/monitor/health.h"
#include "kv/monitor/http_server.h"
#include "kv/monitor/member_metrics.h"
#include "kv/monitor/survey_feed.h"
#include "kv/service/client_server.h"
#include "kv/service/member.h"
#include "kv/service/status_reporter.h"

namespace pontoon {

// Thread safety: one thread.
class MonitorHost {
 public:
  // Borrows all, and `replica` has joined.
  MonitorHost(const Config& config, const Identity& identity, const ReplicaHost* replica);
  // The server with the call watchers must be gone.
  ~MonitorHost();

  // They count the calls of a server.
  kv::CallWatchers NewCallWatchers();

  // What this member says of itself. Lives as long as this host.
  const kv::StatusReporter* reporter() const { return &reporter_; }

  // Serves metrics, health and the page from then on, until EndListening. An error is one line for
  // the operator; that the default port is taken, as by another member on this machine, is only a
  // warning.
  absl::Status Listen(const Config& config, std::function<kv::ClientActivity()> read_clients);
  // Asks `read_clients` no more.
  void EndListening();
  // Where that is; "none" if nowhere.
  const std::string& addresses() const { return addresses_; }

  // Tells load balancers to turn to another member.
  void Retreat() { health_.Retreat(); }

 private:
  kv::MemberReading ReadMember(const std::function<kv::ClientActivity()>& read_clients) const;
  void DescribeActivity(etcdserverpb::StatusResponse* response) const;

  const std::string name_;
  const int64_t quota_bytes_;
  const ReplicaHost* const replica_;
  const MemberBook book_;
  const kv::Member member_;
  kv::CallMetrics calls_;
  kv::Health health_;
  const kv::StatusReporter reporter_;
  kv::ClusterSurveyor surveyor_;
  kv::SurveyFeed surveys_;
  std::string addresses_ = "none";
  std::unique_ptr<kv::HttpServer> http_;  // last: uses the rest
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_MONITOR_HOST_H_
