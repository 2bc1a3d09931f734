// The answers of a member's HTTP port: metrics, health, version.

#ifndef PONTOON_KV_MONITOR_ENDPOINTS_H_
#define PONTOON_KV_MONITOR_ENDPOINTS_H_

#include <functional>
#include <string>

#include "kv/monitor/call_metrics.h"
#include "kv/monitor/health.h"
#include "kv/monitor/http_server.h"
#include "kv/monitor/member_metrics.h"
#include "kv/monitor/survey_feed.h"

namespace pontoon::kv {

// What the endpoints speak of. All are borrowed.
struct EndpointParts {
  std::function<MemberReading()> read_member;  // may read the sizes of files; any thread
  const CallMetrics* calls;
  const Health* health;
  SurveyFeed* surveys;      // to be stopped before the server
  bool etcd_names = false;  // show what etcd has under its names, too
};

//   /metrics           Prometheus's text format
//   /health            etcd's: {"health":"true","reason":""}; with ?serializable=true of this
//   member
//                      alone
//   /livez, /readyz    "ok", or 503 and what is wrong; ?verbose lists the checks, and
//                      /readyz/leader is one alone
//   /                  the page, with what it loads (kv/monitor/page)
//   /api/v1/status     what it shows, as JSON (survey_json.h)
//   /api/v1/events     the same again and again, as server-sent events; 503 if kEventStreamsMax
//                      others listen
//   /version           {"etcdserver":...,"etcdcluster":...,"storage":...,"pontoon":...}
inline constexpr int kEventStreamsMax = HttpServer::kThreads / 2;

HttpServer::Routes MakeEndpoints(EndpointParts parts);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_ENDPOINTS_H_
