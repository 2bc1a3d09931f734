// ClusterSurvey: what all members of a cluster say of themselves at about the same time.

#ifndef PONTOON_CMD_PONTOONCTL_CLUSTER_SURVEY_H_
#define PONTOON_CMD_PONTOONCTL_CLUSTER_SURVEY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/outcome.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

// What one endpoint said when it was asked for its status.
struct EndpointStatus {
  Endpoint endpoint;
  absl::StatusOr<etcdserverpb::StatusResponse> response;
};

// One line of the survey: a member, or an endpoint that no member is known to own.
struct MemberStatus {
  std::string endpoint;
  std::string name;
  std::optional<uint64_t> member_id;
  bool is_learner = false;
  // Set if the member answered.
  std::optional<etcdserverpb::StatusResponse> response = {};
  // Why it did not.
  std::string error = {};

  // "leader", "follower", "learner" or "unreachable".
  std::string Role() const;
};

struct ClusterSurvey {
  std::vector<MemberStatus> members;

  // The member that leads, as it says itself; of several (after a partition, an old one may not
  // know yet) the one with the highest term. Null if there is none.
  const MemberStatus* Leader() const;

  // Entries that the leader knows to be committed and the member has not applied. Nothing if there
  // is no leader, or the member does not answer: what was last heard of it says little of now.
  std::optional<uint64_t> LagEntries(const MemberStatus& member) const;

  // What the leader says of the member. Null if there is no leader, or it does not say it: of
  // itself, and if it is an etcd.
  const pontoon::v1::FollowerStatus* AsFollower(const MemberStatus& member) const;

  bool AllAnswered() const;
};

// The members at `endpoints`, from the first that answers.
Reply ListMembers(const std::vector<Endpoint>& endpoints, absl::Duration timeout,
                  etcdserverpb::MemberListResponse* response);

// Asks every endpoint for its status, all at the same time.
std::vector<EndpointStatus> AskForStatus(const std::vector<Endpoint>& endpoints,
                                         absl::Duration timeout);

// Puts members and answers together: each member, by name, with the first endpoint that answered
// for it; then the members that have no name yet; then the endpoints that belong to no member.
// `asked` has the endpoints that the user gave first; so a member behind an address translation is
// shown as reachable, by the endpoint that reached it.
ClusterSurvey CombineSurvey(const std::vector<etcdserverpb::Member>& members,
                            const std::vector<EndpointStatus>& asked);

// All of it: lists the members, asks them and `endpoints` for their status.
ClusterSurvey SurveyCluster(const std::vector<Endpoint>& endpoints, absl::Duration timeout);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_CLUSTER_SURVEY_H_
