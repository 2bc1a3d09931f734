#include "kv/monitor/endpoints.h"

#include <prometheus/text_serializer.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "kv/monitor/metric_list.h"
#include "kv/monitor/page/page_files.h"
#include "kv/monitor/process_metrics.h"
#include "kv/service/version.h"

namespace pontoon::kv {
namespace {

constexpr char kJson[] = "application/json";
constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kUnavailable = 503;

using Check = Health::Check;

HttpResponse Metrics(const EndpointParts& parts) {
  MetricList list;
  const MemberReading reading = parts.read_member();
  AddMemberMetrics(reading, &list);
  parts.calls->AddTo(&list);
  AddProcessMetrics(&list);
  if (parts.etcd_names) {
    AddEtcdMemberMetrics(reading, &list);
    parts.calls->AddEtcdTo(&list);
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, std::move(list).Take());
  return {.content_type = kPrometheusText, .body = std::move(text).str()};
}

HttpResponse Unhealthy(absl::string_view reason) {
  const nlohmann::json body = {{"health", "false"}, {"reason", std::string(reason)}};
  return {.code = kUnavailable, .content_type = kJson, .body = body.dump()};
}

// In etcd's words. An alarm makes every member unhealthy, unless the caller leaves it out
// ("exclude=NOSPACE"). A member that is not asked for a quorum is healthy while its store answers.
HttpResponse EtcdHealth(const Health& health, const HttpRequest& request) {
  for (const etcdserverpb::AlarmType alarm : health.Alarms()) {
    const std::string& name = AlarmType_Name(alarm);
    if (!request.Has("exclude", name)) return Unhealthy(absl::StrCat("ALARM ", name));
  }
  std::vector<Check> checks = {Check::kSerializableRead};
  if (!request.Has("serializable")) checks = {Check::kLeader, Check::kLinearizableRead};
  for (const Check check : checks) {
    const absl::Status found = health.Look(check);
    if (!found.ok()) return Unhealthy(found.message());
  }
  return {.content_type = kJson, .body = R"({"health":"true","reason":""})"};
}

// As the health endpoints of Kubernetes answer, and etcd's.
HttpResponse Run(const Health& health, const std::vector<Check>& checks, bool verbose) {
  std::string lines;
  bool all_well = true;
  for (const Check check : checks) {
    const absl::Status found = health.Look(check);
    all_well = all_well && found.ok();
    if (found.ok()) {
      absl::StrAppend(&lines, "[+]", Health::Name(check), " ok\n");
    } else {
      absl::StrAppend(&lines, "[-]", Health::Name(check), " failed: ", found.message(), "\n");
    }
  }
  if (!all_well) return {.code = kUnavailable, .body = std::move(lines)};
  if (!verbose) return {.body = "ok\n"};
  return {.body = absl::StrCat(lines, "ok\n")};
}

void AddChecks(const Health* health, const std::string& path, const std::vector<Check>& checks,
               HttpServer::Routes* routes) {
  (*routes)[path] = [=](const HttpRequest& request) {
    return Run(*health, checks, request.Has("verbose"));
  };
  for (const Check check : checks) {
    (*routes)[absl::StrCat(path, "/", Health::Name(check))] = [=](const HttpRequest& request) {
      return Run(*health, {check}, request.Has("verbose"));
    };
  }
}

HttpResponse Status(SurveyFeed* surveys) {
  const auto survey = surveys->Next(0);
  if (!survey) return {.code = kUnavailable, .body = "this member is about to stop\n"};
  return {.content_type = kJson, .body = *survey->json};
}

std::string ToEvent(const std::string& json) {
  return absl::StrCat("event: status\ndata: ", json, "\n\n");
}

// One of the streams that there may be; its place is free again when it is gone.
class StreamPlace {
 public:
  using Count = std::atomic<int>;

  // Null if there is none left.
  static std::shared_ptr<StreamPlace> Take(const std::shared_ptr<Count>& count) {
    if (count->fetch_add(1) < kEventStreamsMax) return std::make_shared<StreamPlace>(count);
    --*count;
    return nullptr;
  }
  explicit StreamPlace(std::shared_ptr<Count> count) : count_(std::move(count)) {}
  ~StreamPlace() { --*count_; }

  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;

 private:
  const std::shared_ptr<Count> count_;
};

HttpResponse Events(SurveyFeed* surveys, const std::shared_ptr<StreamPlace::Count>& streams) {
  auto place = StreamPlace::Take(streams);
  if (place == nullptr) {
    return {.code = kUnavailable,
            .body = absl::StrCat(kEventStreamsMax,
                                 " others listen already: ask /api/v1/status now and then\n")};
  }
  uint64_t seen = 0;
  return {.content_type = "text/event-stream",
          .body = "retry: 1000\n\n",
          .next_piece = [=, place = std::move(place)]() mutable -> std::optional<std::string> {
            const auto survey = surveys->Next(seen);
            if (!survey) return std::nullopt;
            seen = survey->number;
            return ToEvent(*survey->json);
          }};
}

void AddPage(HttpServer::Routes* routes) {
  for (const PageFile& file : PageFiles()) {
    (*routes)[file.path] = [&file](const HttpRequest&) {
      return HttpResponse{.content_type = file.content_type, .body = std::string(file.content)};
    };
  }
}

HttpResponse Version() {
  // The order is etcd's.
  const nlohmann::ordered_json body = {{"etcdserver", kEtcdApiVersion},
                                       {"etcdcluster", kEtcdApiVersion},
                                       {"storage", kEtcdApiVersion},
                                       {"pontoon", kPontoonVersion}};
  return {.content_type = kJson, .body = body.dump()};
}

}  // namespace

HttpServer::Routes MakeEndpoints(EndpointParts parts) {
  HttpServer::Routes routes;
  const Health* const health = parts.health;
  AddChecks(health, "/livez", Health::ChecksOfLiveness(), &routes);
  AddChecks(health, "/readyz", Health::ChecksOfReadiness(), &routes);
  routes["/health"] = [health](const HttpRequest& request) { return EtcdHealth(*health, request); };
  SurveyFeed* const surveys = parts.surveys;
  AddPage(&routes);
  routes["/api/v1/status"] = [surveys](const HttpRequest&) { return Status(surveys); };
  const auto streams = std::make_shared<StreamPlace::Count>(0);
  routes["/api/v1/events"] = [surveys, streams](const HttpRequest&) {
    return Events(surveys, streams);
  };
  routes["/version"] = [](const HttpRequest&) { return Version(); };
  routes["/metrics"] = [parts = std::move(parts)](const HttpRequest&) { return Metrics(parts); };
  return routes;
}

}  // namespace pontoon::kv
