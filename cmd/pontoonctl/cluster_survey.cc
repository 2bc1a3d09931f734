#include "cmd/pontoonctl/cluster_survey.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/ask_all.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::Member;
using etcdserverpb::StatusResponse;

// The client URLs of a member that we can use as endpoints.
std::vector<Endpoint> EndpointsOf(const Member& member) {
  std::vector<Endpoint> endpoints;
  for (const std::string& url : member.clienturls()) {
    absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(url);
    if (endpoint.ok()) endpoints.push_back(*std::move(endpoint));
  }
  return endpoints;
}

bool Contains(const std::vector<Endpoint>& endpoints, const Endpoint& endpoint) {
  return std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
}

absl::StatusOr<StatusResponse> StatusOf(const Endpoint& endpoint, absl::Duration timeout) {
  StatusResponse response;
  const Reply reply = AskOnce(endpoint, Deadline::After(timeout),
                              [&](Server& server, grpc::ClientContext* context) {
                                return server.maintenance().Status(context, {}, &response);
                              });
  if (!reply.ok()) return absl::UnavailableError(Explain(reply));
  return response;
}

// The line for one member, from the answers in its name or from its own endpoints' failures.
MemberStatus LineFor(const Member& member, const std::vector<EndpointStatus>& asked) {
  const std::vector<Endpoint> own = EndpointsOf(member);
  MemberStatus line{
      .endpoint = own.empty() ? (member.clienturls().empty() ? "-" : member.clienturls(0))
                              : own.front().address(),
      .name = member.name(),
      .member_id = member.id(),
      .is_learner = member.islearner(),
  };
  for (const EndpointStatus& status : asked) {
    if (status.response.ok() && status.response->header().member_id() == member.id()) {
      line.endpoint = status.endpoint.address();
      line.response = *status.response;
      line.error.clear();
      return line;
    }
    if (!status.response.ok() && line.error.empty() && Contains(own, status.endpoint)) {
      line.error = std::string(status.response.status().message());
    }
  }
  if (!line.error.empty()) return line;
  line.error = member.name().empty() ? "not started yet" : "another member answers at its address";
  if (own.empty() && !member.name().empty()) line.error = "has no client URL that can be used";
  return line;
}

// The line for an endpoint, if it belongs to no member.
std::optional<MemberStatus> StrayLine(const std::vector<Member>& members,
                                      const EndpointStatus& status) {
  for (const Member& member : members) {
    if (status.response.ok() ? status.response->header().member_id() == member.id()
                             : Contains(EndpointsOf(member), status.endpoint)) {
      return std::nullopt;
    }
  }
  MemberStatus line{.endpoint = status.endpoint.address(), .name = "-", .member_id = {}};
  if (status.response.ok()) {
    line.member_id = status.response->header().member_id();
    line.is_learner = status.response->islearner();
    line.response = *status.response;
  } else {
    line.error = std::string(status.response.status().message());
  }
  return line;
}

}  // namespace

std::string MemberStatus::Role() const {
  if (!response.has_value()) return "unreachable";
  if (response->leader() != 0 && response->leader() == response->header().member_id()) {
    return "leader";
  }
  return is_learner || response->islearner() ? "learner" : "follower";
}

const MemberStatus* ClusterSurvey::Leader() const {
  const MemberStatus* leader = nullptr;
  for (const MemberStatus& member : members) {
    if (!member.response.has_value() || member.response->leader() == 0 ||
        member.response->leader() != member.response->header().member_id()) {
      continue;
    }
    if (leader == nullptr || member.response->raftterm() > leader->response->raftterm()) {
      leader = &member;
    }
  }
  return leader;
}

std::optional<uint64_t> ClusterSurvey::LagEntries(const MemberStatus& member) const {
  const MemberStatus* leader = Leader();
  if (leader == nullptr || !member.response.has_value()) return std::nullopt;
  const uint64_t committed = leader->response->raftindex();
  const uint64_t applied = member.response->raftappliedindex();
  // The members answer at slightly different times, so one may seem to be ahead of its leader.
  return committed > applied ? committed - applied : 0;
}

const pontoon::v1::FollowerStatus* ClusterSurvey::AsFollower(const MemberStatus& member) const {
  const MemberStatus* leader = Leader();
  if (leader == nullptr || !member.member_id.has_value()) return nullptr;
  for (const pontoon::v1::FollowerStatus& follower : leader->response->followers()) {
    if (follower.member_id() == *member.member_id) return &follower;
  }
  return nullptr;
}

bool ClusterSurvey::AllAnswered() const {
  return std::all_of(members.begin(), members.end(),
                     [](const MemberStatus& member) { return member.response.has_value(); });
}

Reply ListMembers(const std::vector<Endpoint>& endpoints, absl::Duration timeout,
                  etcdserverpb::MemberListResponse* response) {
  // Not linearizable: an operator wants to see the members most when there is no leader.
  return Session(endpoints).Read(Deadline::After(timeout),
                                 [&](Server& server, grpc::ClientContext* context) {
                                   return server.cluster().MemberList(context, {}, response);
                                 });
}

std::vector<EndpointStatus> AskForStatus(const std::vector<Endpoint>& endpoints,
                                         absl::Duration timeout) {
  return AskAll(endpoints, [&](const Endpoint& endpoint) {
    return EndpointStatus{endpoint, StatusOf(endpoint, timeout)};
  });
}

ClusterSurvey CombineSurvey(const std::vector<Member>& members,
                            const std::vector<EndpointStatus>& asked) {
  ClusterSurvey survey;
  for (const Member& member : members) survey.members.push_back(LineFor(member, asked));
  // The cluster lists them by their ids, which mean nothing to people.
  std::stable_sort(survey.members.begin(), survey.members.end(),
                   [](const MemberStatus& a, const MemberStatus& b) {
                     return std::tuple(a.name.empty(), a.name) < std::tuple(b.name.empty(), b.name);
                   });
  for (const EndpointStatus& status : asked) {
    std::optional<MemberStatus> stray = StrayLine(members, status);
    if (stray.has_value()) survey.members.push_back(*std::move(stray));
  }
  return survey;
}

ClusterSurvey SurveyCluster(const std::vector<Endpoint>& endpoints, absl::Duration timeout) {
  etcdserverpb::MemberListResponse list;
  // Where nobody answers, the endpoints themselves show why.
  ListMembers(endpoints, timeout, &list);
  const std::vector<Member> members(list.members().begin(), list.members().end());
  std::vector<Endpoint> all = endpoints;
  for (const Member& member : members) {
    for (const Endpoint& endpoint : EndpointsOf(member)) {
      if (!Contains(all, endpoint)) all.push_back(endpoint);
    }
  }
  return CombineSurvey(members, AskForStatus(all, timeout));
}

}  // namespace pontoon::ctl
