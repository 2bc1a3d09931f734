#include "cmd/pontoonctl/hash_survey.h"

#include <algorithm>
#include <map>

#include "cmd/pontoonctl/ask_all.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

MemberHash AskForHash(MemberHash member, int64_t revision, absl::Duration timeout) {
  const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(member.endpoint);
  if (!endpoint.ok()) {
    member.error = std::string(endpoint.status().message());
    return member;
  }
  etcdserverpb::HashKVRequest request;
  request.set_revision(revision);
  etcdserverpb::HashKVResponse response;
  const Reply reply = AskOnce(*endpoint, Deadline::After(timeout),
                              [&](Server& server, grpc::ClientContext* context) {
                                return server.maintenance().HashKV(context, request, &response);
                              });
  if (reply.ok()) {
    member.compact_revision = response.compact_revision();
    member.hash = response.hash();
  } else {
    member.error = Explain(reply);
  }
  return member;
}

}  // namespace

HashVerdict Compare(const std::vector<MemberHash>& hashes) {
  bool all_comparable = !hashes.empty();
  std::map<int64_t, uint32_t> by_history;
  for (const MemberHash& member : hashes) {
    if (!member.hash.has_value()) {
      all_comparable = false;
      continue;
    }
    const auto [first, is_first] = by_history.emplace(member.compact_revision, *member.hash);
    if (first->second != *member.hash) return HashVerdict::kDifferent;
  }
  return all_comparable && by_history.size() == 1 ? HashVerdict::kEqual : HashVerdict::kUnknown;
}

int64_t CommonRevision(const ClusterSurvey& survey) {
  int64_t common = 0;
  for (const MemberStatus& member : survey.members) {
    if (!member.response.has_value()) continue;
    const int64_t revision = member.response->header().revision();
    common = common == 0 ? revision : std::min(common, revision);
  }
  return common;
}

std::vector<MemberHash> AskForHashes(const ClusterSurvey& survey, int64_t revision,
                                     absl::Duration timeout) {
  return AskAll(survey.members, [&](const MemberStatus& member) {
    return AskForHash({.endpoint = member.endpoint, .name = member.name}, revision, timeout);
  });
}

}  // namespace pontoon::ctl
