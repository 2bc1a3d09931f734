// What the calls that change the members ask for and are told, between etcd's words and Raft's.

#ifndef PONTOON_KV_SERVICE_MEMBER_CHANGES_H_
#define PONTOON_KV_SERVICE_MEMBER_CHANGES_H_

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/membership_change.h"

namespace pontoon::kv {

// The peer URLs of a request, each in its one spelling. ErrMemberBadURLs if there is none, one is
// no http://host:port that others can reach, one is there twice, or they are more or longer than a
// member may have (kPeerUrlsMax, kPeerUrlBytesMax).
absl::StatusOr<std::vector<std::string>> CheckPeerUrls(
    const google::protobuf::RepeatedPtrField<std::string>& urls);

// The answer to a client whose change of `kind` was refused. Whatever it is, nothing was changed.
absl::Status ErrorOf(ChangeRefusal refusal, MembershipChange::Kind kind);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_MEMBER_CHANGES_H_
