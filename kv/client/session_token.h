// SessionToken: what a client has seen of a cluster, as a string that can be handed over.

#ifndef PONTOON_KV_CLIENT_SESSION_TOKEN_H_
#define PONTOON_KV_CLIENT_SESSION_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pontoon {

// Whoever reads with this revision as min_revision sees all that the token's former holders have
// seen and written, at whichever member (docs/consistency.md).
struct SessionToken {
  uint64_t cluster_id = 0;
  int64_t revision = 0;  // the highest of any answer's header; 0: nothing was seen

  friend bool operator==(const SessionToken&, const SessionToken&) = default;
};

// The text of a token:
//
//   a-8e9e05c52164694d-1234-5c7cf2eb
//
// a version letter, the id of the cluster in 16 hexadecimal digits, the revision in decimal ones,
// and the CRC-32C of all that stands before the last hyphen, in 8 hexadecimal digits. There is one
// text for each token. It needs no quotes in a shell and no escapes in a URL, a file name or a
// header of HTTP.
std::string EncodeSessionToken(const SessionToken& token);

// INVALID_ARGUMENT, which says why, if EncodeSessionToken does not give this very text.
absl::StatusOr<SessionToken> DecodeSessionToken(absl::string_view text);

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_SESSION_TOKEN_H_
