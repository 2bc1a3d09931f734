#include "kv/service/member_changes.h"

#include <algorithm>

#include "kv/errors.h"
#include "kv/service/url.h"

namespace pontoon::kv {

absl::StatusOr<std::vector<std::string>> CheckPeerUrls(
    const google::protobuf::RepeatedPtrField<std::string>& urls) {
  if (static_cast<size_t>(urls.size()) > kPeerUrlsMax) return kErrMemberBadURLs;
  std::vector<std::string> checked;
  for (const std::string& text : urls) {
    if (text.size() > kPeerUrlBytesMax) return kErrMemberBadURLs;
    const absl::StatusOr<Url> url = ParseUrl(text);
    if (!url.ok() || url->IsWildcard()) return kErrMemberBadURLs;
    const std::string spelling = url->ToString();
    if (std::find(checked.begin(), checked.end(), spelling) != checked.end()) {
      return kErrMemberBadURLs;
    }
    checked.push_back(spelling);
  }
  if (checked.empty()) return kErrMemberBadURLs;
  return checked;
}

absl::Status ErrorOf(ChangeRefusal refusal, MembershipChange::Kind kind) {
  switch (refusal) {
    case ChangeRefusal::kNoLeader:
      return kErrNoLeader;
    case ChangeRefusal::kBusy:
      return kErrUnhealthy;  // for the whole time that the call had
    case ChangeRefusal::kUnknownMember:
      return kErrMemberNotFound;
    case ChangeRefusal::kAlreadyMember:
      return kErrMemberExist;
    case ChangeRefusal::kNotLearner:
      return kErrMemberNotLearner;
    case ChangeRefusal::kNotVoter:
      break;  // clients cannot ask for what is refused so
    case ChangeRefusal::kNoVoterLeft:
      return kErrMemberNotEnoughStarted;
    case ChangeRefusal::kAddressTaken:
      return kErrPeerURLExist;
    case ChangeRefusal::kLearnerBehind:
      return kErrLearnerNotReady;
    case ChangeRefusal::kTooManyLearners:
      return kErrTooManyLearners;
    case ChangeRefusal::kQuorumAtRisk:
      // As etcd says it in these cases.
      return kind == MembershipChange::Kind::kRemove ? absl::Status(kErrUnhealthy)
                                                     : absl::Status(kErrMemberNotEnoughStarted);
  }
  return absl::FailedPreconditionError(RefusalText(refusal));
}

}  // namespace pontoon::kv
