#include "cmd/pontoon/registrar.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace pontoon {
namespace {

constexpr absl::Duration kBarrierTimeout = absl::Seconds(3);

bool Is(const kv::MemberInfo& member, const raft::IntroductionRequest& request) {
  if (request.self.has_value()) return member.id == request.self->member;
  return std::find_first_of(member.peer_urls.begin(), member.peer_urls.end(),
                            request.peer_urls.begin(),
                            request.peer_urls.end()) != member.peer_urls.end();
}

absl::Status NoSuchMember(const raft::IntroductionRequest& request) {
  if (request.self.has_value()) {
    return absl::NotFoundError(
        absl::StrCat("member ", FormatNodeId(request.self->member), " was removed"));
  }
  constexpr size_t kShown = 3;
  const std::vector<std::string>& all = request.peer_urls;
  const std::string urls =
      absl::StrJoin(all.begin(), all.begin() + std::min(all.size(), kShown), ",");
  return absl::NotFoundError(absl::StrCat("no member has the peer address ", urls,
                                          all.size() > kShown ? " or one of the others" : "",
                                          ": add it first with: pontoonctl member add NAME "
                                          "--peer-urls=",
                                          urls));
}

absl::Status AddressTaken(const kv::MemberInfo& member) {
  return absl::FailedPreconditionError(
      absl::StrCat("member ", FormatNodeId(member.id), " (", member.name,
                   ") already has this address: correct --initial-advertise-peer-urls; or, if this "
                   "is that member: ",
                   HowToComeBack(member.id)));
}

absl::Status TwoMembers(NodeId a, NodeId b) {
  return absl::FailedPreconditionError(absl::StrCat("these are addresses of two members, ",
                                                    FormatNodeId(a), " and ", FormatNodeId(b),
                                                    ": correct --initial-advertise-peer-urls"));
}

}  // namespace

void Registrar::Introduce(raft::IntroductionRequest request, raft::IntroductionCallback done) {
  const ClusterId cluster = parts_.identity->cluster;
  if (request.self.has_value() && ClusterId(request.self->cluster_id) != cluster) {
    return std::move(done)(
        absl::FailedPreconditionError(absl::StrCat("this is cluster ", FormatId(cluster.value()))));
  }
  parts_.replica->ReadBarrier(
      raft::ReadMode::kQuorum, parts_.clock->Now() + kBarrierTimeout,
      [this, request = std::move(request), done = std::move(done)](absl::Status passed) mutable {
        if (!passed.ok()) {
          return std::move(done)(absl::UnavailableError("this member reaches no quorum now"));
        }
        parts_.executor->Post(
            [this, request = std::move(request), done = std::move(done)]() mutable {
              std::move(done)(Find(request));
            });
      });
}

absl::StatusOr<raft::Introduction> Registrar::Find(const raft::IntroductionRequest& request) const {
  const raft::ReplicaStatus status = parts_.replica->Status();
  const Membership& committed = status.membership;
  const Membership membership = committed.Target();
  const auto members = members_.Members(*parts_.store->View(), membership);
  if (!members.ok()) return absl::UnavailableError(members.status().message());
  raft::Introduction introduction{.cluster_id = parts_.identity->cluster.value(),
                                  .self = kNoNode,
                                  .token = parts_.identity->token,
                                  .members = {},
                                  .membership_index = status.membership_index};
  for (const kv::MemberInfo& member : *members) {
    const bool is_this = member.id == parts_.identity->member;
    const std::optional<uint64_t> known =
        is_this ? parts_.identity->incarnation : parts_.peers->IncarnationOf(member.id);
    introduction.members.push_back({member.id, member.name, member.peer_urls, known});
    if (!Is(member, request)) continue;
    // Who was met before has data, and knows who it is.
    const bool is_it =
        request.self.has_value() && request.self->data_incarnation == known.value_or(0);
    if (known.has_value() && !is_it) {
      return request.self.has_value() ? WipedMember(member.id) : AddressTaken(member);
    }
    if (introduction.self != kNoNode) return TwoMembers(introduction.self, member.id);
    introduction.self = member.id;
  }
  if (introduction.self != kNoNode) return introduction;
  if (request.self.has_value() && committed.IsVoter(request.self->member)) {
    return absl::UnavailableError("this member is leaving, and its vote may still be needed");
  }
  return NoSuchMember(request);
}

}  // namespace pontoon
