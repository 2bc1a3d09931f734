#include "kv/monitor/survey_json.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/service/version.h"
#include "raft/base/types.h"
#include "raft/env/instruments.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::StatusResponse;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kNanosPerSecond = 1e9;
constexpr double kMicrosPerSecond = 1e6;
constexpr double kMillisPerSecond = 1e3;

json IdOrNull(uint64_t id) { return id == 0 ? json(nullptr) : json(FormatNodeId(NodeId(id))); }

double Seconds(int64_t millis) { return static_cast<double>(millis) / kMillisPerSecond; }

const char* RoleText(pontoon::v1::Role role, bool is_learner) {
  switch (role) {
    case pontoon::v1::LEADER:
      return "leader";
    case pontoon::v1::CANDIDATE:
    case pontoon::v1::PRE_CANDIDATE:
      return "candidate";
    default:
      return is_learner ? "learner" : "follower";
  }
}

ordered_json DurationsJson(const pontoon::v1::DurationCounts& durations) {
  ordered_json bounds = json::array();
  for (size_t i = 0; i < DurationHistogram::kBounds; ++i) {
    bounds.push_back(static_cast<double>(DurationHistogram::BoundNanos(i)) / kNanosPerSecond);
  }
  ordered_json counts = json::array();
  for (const uint64_t count : durations.counts()) counts.push_back(count);
  return {{"bounds_seconds", std::move(bounds)},
          {"counts", std::move(counts)},
          {"sum_seconds", static_cast<double>(durations.sum_us()) / kMicrosPerSecond}};
}

ordered_json StatusJson(const StatusResponse& status) {
  const pontoon::v1::MemberActivity& activity = status.activity();
  return {{"role", RoleText(status.role(), status.islearner())},
          {"term", status.raftterm()},
          {"leader", IdOrNull(status.leader())},
          {"commit_index", status.raftindex()},
          {"applied_index", status.raftappliedindex()},
          {"last_index", status.last_log_index()},
          {"revision", status.header().revision()},
          {"db_bytes", status.dbsize()},
          {"log_bytes", status.log_bytes()},
          {"version", status.pontoon_version()},
          {"requests_total", activity.requests()},
          {"requests_failed_total", activity.requests_failed()},
          {"writes_applied_total", activity.writes_applied()},
          {"writes_waiting", activity.writes_waiting()},
          {"request_durations", DurationsJson(activity.request_durations())},
          {"commit_durations", DurationsJson(activity.commit_durations())},
          {"log_write_durations", DurationsJson(activity.log_write_durations())}};
}

// As the leader sees it.
ordered_json LagJson(const Survey& survey, NodeId member) {
  const SurveyedMember* const leader = survey.Leader();
  if (leader == nullptr) return nullptr;
  for (const pontoon::v1::FollowerStatus& follower : leader->status->followers()) {
    if (follower.member_id() != member.value()) continue;
    const bool heard = follower.last_contact_age_ms() >= 0;
    return {{"entries", follower.lag_entries()},
            {"bytes", follower.lag_bytes()},
            {"seconds", Seconds(follower.lag_age_ms())},
            {"contact_age_seconds",
             heard ? json(Seconds(follower.last_contact_age_ms())) : json(nullptr)},
            {"gets_snapshot", follower.gets_snapshot()}};
  }
  return nullptr;
}

ordered_json MemberJson(const Survey& survey, const SurveyedMember& member) {
  return {{"id", FormatNodeId(member.info.id)},
          {"name", member.info.name},
          {"peer_urls", member.info.peer_urls},
          {"client_urls", member.info.client_urls},
          {"learner", member.is_learner},
          {"reachable", member.status.has_value()},
          {"error", member.error},
          {"status", member.status ? StatusJson(*member.status) : ordered_json(nullptr)},
          {"lag", LagJson(survey, member.info.id)}};
}

std::string NameOf(const SurveyedMember& member) {
  return member.info.name.empty() ? FormatNodeId(member.info.id) : member.info.name;
}

ordered_json Problems(const Survey& survey) {
  ordered_json problems = json::array();
  if (!survey.error.empty()) {
    problems.push_back(absl::StrCat("the members cannot be listed: ", survey.error));
  }
  if (survey.Leader() == nullptr) problems.push_back("no member that answers leads");
  for (const SurveyedMember& member : survey.members) {
    if (!member.status) problems.push_back(absl::StrCat(NameOf(member), " ", member.error));
    if (!member.status) continue;
    for (const std::string& error : member.status->errors()) {
      problems.push_back(absl::StrCat(NameOf(member), ": ", error));
    }
  }
  return problems;
}

// Of all members, the newest first.
ordered_json RoleChanges(const Survey& survey) {
  std::vector<std::pair<int64_t, ordered_json>> changes;
  for (const SurveyedMember& member : survey.members) {
    if (!member.status) continue;
    for (const pontoon::v1::RoleChange& change : member.status->role_changes()) {
      changes.push_back({change.age_ms(),
                         {{"age_seconds", Seconds(change.age_ms())},
                          {"member", FormatNodeId(member.info.id)},
                          {"role", RoleText(change.role(), false)},
                          {"term", change.term()},
                          {"leader", IdOrNull(change.leader())},
                          {"reason", change.reason()}}});
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  ordered_json list = json::array();
  for (auto& [age, change] : changes) list.push_back(std::move(change));
  return list;
}

}  // namespace

std::string ToJson(const Survey& survey, absl::Time now) {
  const SurveyedMember* const leader = survey.Leader();
  uint64_t term = 0, cluster = 0;
  ordered_json members = json::array();
  for (const SurveyedMember& member : survey.members) {
    members.push_back(MemberJson(survey, member));
    if (!member.status) continue;
    term = std::max(term, member.status->raftterm());
    cluster = member.status->header().cluster_id();
  }
  const ordered_json body = {
      {"served_by", FormatNodeId(survey.served_by)},
      {"cluster_id", absl::StrCat(absl::Hex(cluster))},
      {"time_ms", absl::ToUnixMillis(now)},
      {"version", kPontoonVersion},
      {"etcd_version", kEtcdApiVersion},
      {"leader", leader == nullptr ? json(nullptr) : json(FormatNodeId(leader->info.id))},
      {"term", term},
      {"problems", Problems(survey)},
      {"members", std::move(members)},
      {"role_changes", RoleChanges(survey)}};
  // A name is any text that an operator gave: bytes that are not UTF-8 are replaced.
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace pontoon::kv
