#include "cmd/pontoon/peer_finder.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kv/service/url.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

// The first one after `last`, in a ring, that is not `self`.
NodeId NextOf(const PeerUrls& peers, NodeId last, NodeId self) {
  auto peer = peers.upper_bound(last);
  for (size_t i = 0; i < peers.size(); ++i, ++peer) {
    if (peer == peers.end()) peer = peers.begin();
    if (peer->first != self && !peer->second.empty()) return peer->first;
  }
  return kNoNode;
}

}  // namespace

void PeerFinder::Start() {
  parts_.executor->Post([this] { Look(); });
}

void PeerFinder::Look() {
  const raft::ReplicaStatus status = parts_.replica->Status();
  quiet_looks_ = status.leader == kNoNode ? quiet_looks_ + 1 : 0;
  if (quiet_looks_ >= kQuietLooks && !AskNext(status)) return;
  parts_.executor->PostAt(parts_.clock->Now() + kLookInterval, [this] { Look(); });
}

bool PeerFinder::AskNext(const raft::ReplicaStatus& status) {
  const PeerUrls& peers = status.membership.peer_urls;
  last_asked_ = NextOf(peers, last_asked_, status.self);
  if (last_asked_ == kNoNode) return true;
  const absl::StatusOr<Url> url = ParseUrl(peers.at(last_asked_).front());
  if (!url.ok()) return true;
  const absl::StatusOr<raft::IntroductionAnswer> answer = parts_.ask(url->HostPort());
  return !answer.ok() || Take(*answer);
}

bool PeerFinder::Take(const raft::IntroductionAnswer& answer) {
  const absl::StatusOr<raft::Introduction>& introduction = answer.introduction;
  if (!introduction.ok() && !absl::IsNotFound(introduction.status())) return true;
  if (absl::Status s = Check(answer); !s.ok()) {
    std::string reason(s.message());
    if (disbelieved_[last_asked_] != reason) {
      LogWarn("does not believe what a peer says about the members",
              {{"asked", last_asked_}, {"reason", reason}});
      disbelieved_[last_asked_] = std::move(reason);
    }
    return true;
  }
  if (!introduction.ok()) {
    LogWarn("a quorum says that this member was removed", {{"asked", last_asked_}});
    parts_.on_removed();
    return false;
  }
  PeerUrls found;
  for (const raft::Introduction::Member& member : introduction->members) {
    found[member.id] = member.peer_urls;
  }
  if (found != last_found_) {
    LogInfo("a quorum has told who the members are now", {{"asked", last_asked_}});
    last_found_ = found;
  }
  parts_.on_found(found, introduction->membership_index);
  return true;
}

absl::Status PeerFinder::Check(const raft::IntroductionAnswer& answer) const {
  const raft::Identity& teller = answer.teller;
  if (teller.member != last_asked_) {
    return absl::FailedPreconditionError(
        absl::StrCat("its address is now that of member ", FormatNodeId(teller.member)));
  }
  const bool is_met = parts_.peers->IncarnationOf(teller.member).has_value();
  if (!is_met && !answer.introduction.ok()) {
    return absl::FailedPreconditionError(
        "it says that this member was removed, and was never met before");
  }
  return parts_.peers->Admit(teller.member, teller.data_incarnation);
}

}  // namespace pontoon
