#include "cmd/pontoon/identity.h"

#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "raft/base/check.h"
#include "raft/env/crc32c.h"

namespace pontoon {
namespace {

constexpr absl::string_view kFirstLine = "pontoon-identity 1";
constexpr absl::string_view kFirstWord = "pontoon-identity ";

uint64_t FirstEightBytesOfSha1(absl::string_view bytes) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | digest[i];
  return value;
}

void AppendBigEndian(uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

ClusterId ClusterIdOf(const std::vector<FoundingMember>& founders) {
  std::string ids;
  for (const FoundingMember& founder : founders) AppendBigEndian(founder.id.value(), ids);
  return ClusterId(FirstEightBytesOfSha1(ids));
}

bool ParseHex(absl::string_view text, uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, 16);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

uint32_t ChecksumOf(absl::string_view text) { return Crc32c({text.data(), text.size()}); }

std::string ChecksumLine(absl::string_view text) {
  return absl::StrFormat("checksum %08x\n", ChecksumOf(text));
}

// Takes one line "key value..." into `identity`. False if it makes no sense.
bool ParseLine(absl::string_view line, Identity& identity) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  uint64_t id = 0;
  if (words[0] == "cluster" && words.size() == 2 && ParseHex(words[1], id)) {
    identity.cluster = ClusterId(id);
  } else if (words[0] == "member" && words.size() == 3 && ParseHex(words[1], id)) {
    identity.member = NodeId(id);
    identity.name = std::string(words[2]);
  } else if (words[0] == "token" && words.size() == 2) {
    identity.token = std::string(words[1]);
  } else if (words[0] == "founder" && words.size() == 4 && ParseHex(words[1], id)) {
    const absl::StatusOr<Url> url = ParseUrl(words[3]);
    if (!url.ok()) return false;
    identity.founders.push_back({NodeId(id), std::string(words[2]), *url});
  } else {
    return false;
  }
  return true;
}

}  // namespace

NodeId MemberIdOf(const Url& peer_url, absl::string_view token) {
  return NodeId(FirstEightBytesOfSha1(absl::StrCat(peer_url.ToString(), token)));
}

Identity MakeIdentity(absl::string_view name, const InitialCluster& cluster) {
  Identity identity;
  identity.name = std::string(name);
  identity.token = cluster.token;
  for (const ClusterEntry& entry : cluster.members) {
    const NodeId id = MemberIdOf(entry.peer_url, cluster.token);
    CHECK(id != kNoNode) << entry.name;
    identity.founders.push_back({id, entry.name, entry.peer_url});
    if (entry.name == name) identity.member = id;
  }
  CHECK(identity.member != kNoNode) << "no member is called " << std::string(name);
  std::sort(identity.founders.begin(), identity.founders.end(),
            [](const FoundingMember& a, const FoundingMember& b) { return a.id < b.id; });
  identity.cluster = ClusterIdOf(identity.founders);
  return identity;
}

std::string FormatIdentity(const Identity& identity) {
  std::string text = absl::StrCat(kFirstLine, "\ncluster ", FormatId(identity.cluster.value()),
                                  "\nmember ", FormatId(identity.member.value()), " ",
                                  identity.name, "\ntoken ", identity.token, "\n");
  for (const FoundingMember& founder : identity.founders) {
    absl::StrAppend(&text, "founder ", FormatId(founder.id.value()), " ", founder.name, " ",
                    founder.peer_url.ToString(), "\n");
  }
  return text + ChecksumLine(text);
}

absl::StatusOr<Identity> ParseIdentity(absl::string_view text) {
  if (absl::StartsWith(text, kFirstWord) &&
      !absl::StartsWith(text, absl::StrCat(kFirstLine, "\n"))) {
    return absl::UnimplementedError("was written by a newer version of pontoon");
  }
  const absl::Status damaged = absl::DataLossError("is damaged");
  const size_t body_end = text.rfind("checksum ");
  if (body_end == absl::string_view::npos) return damaged;
  absl::string_view body = text.substr(0, body_end);
  if (text.substr(body_end) != ChecksumLine(body)) return damaged;
  if (!absl::ConsumePrefix(&body, absl::StrCat(kFirstLine, "\n"))) return damaged;

  Identity identity;
  for (const absl::string_view line : absl::StrSplit(body, '\n', absl::SkipEmpty())) {
    if (!ParseLine(line, identity)) return damaged;
  }
  const bool is_founder =
      std::any_of(identity.founders.begin(), identity.founders.end(),
                  [&](const FoundingMember& founder) { return founder.id == identity.member; });
  if (!is_founder || identity.cluster != ClusterIdOf(identity.founders)) return damaged;
  return identity;
}

std::string FormatId(uint64_t id) { return absl::StrFormat("%016x", id); }

}  // namespace pontoon
