#include "cmd/pontoonctl/staleness_survey.h"

#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/ask_all.h"
#include "cmd/pontoonctl/session.h"
#include "cmd/pontoonctl/short_duration.h"

namespace pontoon::ctl {
namespace {

using pontoon::v1::FollowerStatus;
using pontoon::v1::ReadOptions;

FollowerRead ReadAsFollower(const MemberStatus& member, absl::Duration timeout) {
  if (!member.response.has_value()) return {.status = absl::UnavailableError(member.error)};
  const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(member.endpoint);
  if (!endpoint.ok()) return {.status = endpoint.status()};
  etcdserverpb::RangeRequest request;
  request.set_key("lag");
  request.set_count_only(true);
  request.set_serializable(true);  // what other servers than Pontoon understand of it
  request.mutable_read_options()->set_consistency(ReadOptions::FOLLOWER);
  etcdserverpb::RangeResponse response;
  const Reply reply = AskOnce(*endpoint, Deadline::After(timeout),
                              [&](Server& server, grpc::ClientContext* context) {
                                return server.kv().Range(context, request, &response);
                              });
  if (!reply.ok()) return {.status = absl::UnavailableError(Explain(reply))};
  FollowerRead read{.status = absl::OkStatus(), .revision = response.header().revision()};
  if (response.read_report().has_staleness_bound()) {
    read.staleness_bound =
        absl::Nanoseconds(google::protobuf::util::TimeUtil::DurationToNanoseconds(
            response.read_report().staleness_bound()));
  }
  return read;
}

std::string Unreachable(const FollowerStatus* follower) {
  if (follower == nullptr) return "unreachable";
  const auto contact = LastContact(*follower);
  if (!contact.has_value()) return "unreachable; the leader has not heard from it either";
  return absl::StrCat("unreachable; the leader heard from it ", ShortDuration(*contact), " ago");
}

}  // namespace

std::vector<FollowerRead> ReadAsFollowers(const ClusterSurvey& survey, absl::Duration timeout) {
  return AskAll(survey.members,
                [&](const MemberStatus& member) { return ReadAsFollower(member, timeout); });
}

std::optional<absl::Duration> LastContact(const FollowerStatus& follower) {
  if (follower.last_contact_age_ms() < 0) return std::nullopt;
  return absl::Milliseconds(follower.last_contact_age_ms());
}

std::string WhatIsShown(const ClusterSurvey& survey, const MemberStatus& member,
                        const FollowerRead& read) {
  const FollowerStatus* const follower = survey.AsFollower(member);
  if (!member.response.has_value()) return Unreachable(follower);
  if (!read.status.ok()) return absl::StrCat("answers no FOLLOWER read: ", read.status.message());
  const std::string present = absl::StrCat("shows revision ", read.revision);
  if (follower != nullptr && follower->gets_snapshot()) {
    return absl::StrCat("gets a snapshot; ", present, " until it has it");
  }
  const std::string proven =
      read.staleness_bound.has_value()
          ? absl::StrCat("shows everything older than ", ShortDuration(*read.staleness_bound))
          : "nothing is proven yet";
  if (member.response->leader() == 0) return absl::StrCat("knows no leader; ", proven);
  if (follower != nullptr) {
    const auto contact = LastContact(*follower);
    if (!contact.has_value()) return absl::StrCat("cut off from its leader; ", present);
    if (*contact >= kCutOff) {
      return absl::StrCat("cut off for ", ShortDuration(*contact), "; ", present);
    }
  }
  const std::optional<uint64_t> lag = survey.LagEntries(member);
  if (!lag.has_value()) return proven;
  if (*lag == 0) return absl::StrCat(proven, "; lacks nothing that is known");
  return absl::StrCat(proven, "; lacks ", *lag, *lag == 1 ? " entry" : " entries");
}

}  // namespace pontoon::ctl
