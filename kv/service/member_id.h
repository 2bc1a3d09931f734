// How members get their ids.

#ifndef PONTOON_KV_SERVICE_MEMBER_ID_H_
#define PONTOON_KV_SERVICE_MEMBER_ID_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "raft/base/types.h"

namespace pontoon {

// The first eight bytes of the SHA-1 of `bytes`, as a big-endian number.
uint64_t FirstEightBytesOfSha1(absl::string_view bytes);

// Of a founder, as etcd makes it: SHA-1(peer URL, cluster's token). All founders come to the same
// ids without talking to each other.
NodeId FounderIdOf(absl::string_view peer_url, absl::string_view token);

// Of a member that is added at `now`, as etcd makes it: SHA-1(peer URLs in order, cluster's token,
// time). The time, in nanoseconds here, is there so that no id comes twice: what a removed member
// has promised must not bind, nor what it says be taken for that of, the one that comes after it
// at the same address. Never kNoNode.
NodeId AddedMemberIdOf(std::vector<std::string> peer_urls, absl::string_view token, absl::Time now);

}  // namespace pontoon

#endif  // PONTOON_KV_SERVICE_MEMBER_ID_H_
