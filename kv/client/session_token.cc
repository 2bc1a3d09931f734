#include "kv/client/session_token.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "raft/base/check.h"
#include "raft/env/crc32c.h"

namespace pontoon {
namespace {

constexpr absl::string_view kVersion = "a";

}  // namespace

std::string EncodeSessionToken(const SessionToken& token) {
  CHECK(token.revision >= 0) << token.revision;
  const std::string text = absl::StrCat(
      kVersion, "-", absl::Hex(token.cluster_id, absl::kZeroPad16), "-", token.revision);
  return absl::StrCat(text, "-", absl::Hex(Crc32c(text), absl::kZeroPad8));
}

absl::StatusOr<SessionToken> DecodeSessionToken(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '-');
  if (parts.size() != 4 || parts[0].size() != 1) {
    return absl::InvalidArgumentError("this is no session token");
  }
  if (parts[0] != kVersion) {
    return absl::InvalidArgumentError(absl::StrCat("a session token of version ", parts[0],
                                                   ", and only ", kVersion, " is known"));
  }
  SessionToken token;
  if (absl::SimpleHexAtoi(parts[1], &token.cluster_id) &&
      absl::SimpleAtoi(parts[2], &token.revision) && token.revision >= 0 &&
      EncodeSessionToken(token) == text) {
    return token;
  }
  return absl::InvalidArgumentError(
      "a mangled session token: its checksum does not fit, so a part of it is lost or altered");
}

}  // namespace pontoon
