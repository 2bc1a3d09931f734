// MemberDirectory: who the members are, and where they are reached.

#ifndef PONTOON_KV_SERVICE_MEMBER_DIRECTORY_H_
#define PONTOON_KV_SERVICE_MEMBER_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/store/read_view.h"
#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon::kv {

struct MemberInfo {
  NodeId id;
  std::string name;  // empty until it is known
  std::vector<std::string> peer_urls;
  std::vector<std::string> client_urls;  // empty until the member has told them

  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};

// Thread safety: all methods may be called from any thread.
class MemberDirectory {
 public:
  virtual ~MemberDirectory() = default;

  // The members of `membership`, which is not joint, by ascending id, with what they have told of
  // themselves by `view`. May read from the disk. DATA_LOSS or UNAVAILABLE if the disk is damaged
  // or fails.
  virtual absl::StatusOr<std::vector<MemberInfo>> Members(const ReadView& view,
                                                          const Membership& membership) const = 0;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_SERVICE_MEMBER_DIRECTORY_H_
