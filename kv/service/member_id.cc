#include "kv/service/member_id.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pontoon {

uint64_t FirstEightBytesOfSha1(absl::string_view bytes) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | digest[i];
  return value;
}

NodeId FounderIdOf(absl::string_view peer_url, absl::string_view token) {
  return NodeId(FirstEightBytesOfSha1(absl::StrCat(peer_url, token)));
}

NodeId AddedMemberIdOf(std::vector<std::string> peer_urls, absl::string_view token,
                       absl::Time now) {
  std::sort(peer_urls.begin(), peer_urls.end());
  NodeId id;
  for (int64_t time = absl::ToUnixNanos(now); id == kNoNode; ++time) {
    id = NodeId(FirstEightBytesOfSha1(absl::StrCat(absl::StrJoin(peer_urls, ""), token, time)));
  }
  return id;
}

}  // namespace pontoon
