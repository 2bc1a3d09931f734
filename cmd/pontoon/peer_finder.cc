#include "cmd/pontoon/peer_finder.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/env/log.h"

namespace pontoon {

void PeerFinder::Start() {
  parts_.executor->Post([this] { Look(); });
}

void PeerFinder::Look() {
  const bool has_leader = parts_.replica->CurrentLeadership().leader != kNoNode;
  quiet_looks_ = has_leader ? 0 : quiet_looks_ + 1;
  if (quiet_looks_ >= kQuietLooks && !AskNext()) return;
  parts_.executor->PostAt(parts_.clock->Now() + kLookInterval, [this] { Look(); });
}

bool PeerFinder::AskNext() {
  const raft::PeerAddresses addresses = parts_.addresses();
  if (addresses.empty()) return true;
  auto next = addresses.upper_bound(last_asked_);
  if (next == addresses.end()) next = addresses.begin();
  last_asked_ = next->first;
  const absl::StatusOr<raft::IntroductionAnswer> answer = parts_.ask(next->second);
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
