// StalenessSurvey: how old the state of each member is, by what its leader knows of it, and by what
// the member proves itself.

#ifndef PONTOON_CMD_PONTOONCTL_STALENESS_SURVEY_H_
#define PONTOON_CMD_PONTOONCTL_STALENESS_SURVEY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/cluster_survey.h"

namespace pontoon::ctl {

// How a FOLLOWER read of a member went, which asks nobody else and proves nothing anew.
struct FollowerRead {
  // Why there is no answer: the member could not be asked, or refused.
  absl::Status status;
  int64_t revision = 0;
  // Everything is shown that was committed longer ago. Nothing: it is not proven.
  std::optional<absl::Duration> staleness_bound = {};
};

// The members of `survey` in their order, all asked at the same time. One that did not answer for
// its status is not asked again.
std::vector<FollowerRead> ReadAsFollowers(const ClusterSurvey& survey, absl::Duration timeout);

// How long ago the leader heard from a follower; nothing if it never has in its term.
std::optional<absl::Duration> LastContact(const pontoon::v1::FollowerStatus& follower);

// A follower of which the leader has not heard for so long is cut off. A leader sends heartbeats
// many times in that time, whatever its settings are.
inline constexpr absl::Duration kCutOff = absl::Seconds(1);

// In words, what a FOLLOWER read of `member`, of `survey`, shows at this moment, if `read` is how
// one went: "shows everything older than 120 ms; lacks nothing that is known".
std::string WhatIsShown(const ClusterSurvey& survey, const MemberStatus& member,
                        const FollowerRead& read);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_STALENESS_SURVEY_H_
