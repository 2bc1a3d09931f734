#include "cmd/pontoon/identity.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cmd/pontoon/checked_text.h"
#include "kv/service/member_id.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

constexpr absl::string_view kFirstWord = "pontoon-identity ";
constexpr absl::string_view kFirstLine = "pontoon-identity 3\n";
// The second one has no known-at, the first one no incarnation either.
constexpr absl::string_view kOldFirstLines[] = {"pontoon-identity 2\n", "pontoon-identity 1\n"};
constexpr absl::string_view kFounderWord = "founder";
constexpr absl::string_view kKnownWord = "known";

void AppendBigEndian(uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

ClusterId ClusterIdOf(const std::vector<KnownMember>& founders, uint64_t snapshot) {
  std::string ids;
  for (const KnownMember& founder : founders) AppendBigEndian(founder.id.value(), ids);
  if (snapshot != 0) AppendBigEndian(snapshot, ids);
  return ClusterId(FirstEightBytesOfSha1(ids));
}

absl::string_view WordOf(Origin origin) {
  return origin == Origin::kFounder ? kFounderWord : kKnownWord;
}

// False if `text` begins with no line of a version that is known.
bool ConsumeFirstLine(absl::string_view& text) {
  if (absl::ConsumePrefix(&text, kFirstLine)) return true;
  return std::any_of(std::begin(kOldFirstLines), std::end(kOldFirstLines),
                     [&](absl::string_view line) { return absl::ConsumePrefix(&text, line); });
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
  } else if (words[0] == "incarnation" && words.size() == 2 && ParseHex(words[1], id)) {
    identity.incarnation = id;
  } else if (words[0] == "snapshot" && words.size() == 2 && ParseHex(words[1], id)) {
    identity.snapshot = id;
  } else if (words[0] == "known-at" && words.size() == 2 && absl::SimpleAtoi(words[1], &id)) {
    identity.known_at = LogIndex(id);
  } else if (words[0] == "token" && words.size() == 2) {
    identity.token = std::string(words[1]);
  } else if ((words[0] == kFounderWord || words[0] == kKnownWord) && words.size() == 4 &&
             ParseHex(words[1], id)) {
    const absl::StatusOr<Url> url = ParseUrl(words[3]);
    const Origin origin = words[0] == kFounderWord ? Origin::kFounder : Origin::kJoiner;
    const bool fits = identity.first_members.empty() || origin == identity.origin;
    if (!url.ok() || !fits) return false;
    identity.origin = origin;
    identity.first_members.push_back({NodeId(id), std::string(words[2]), *url});
  } else {
    return false;
  }
  return true;
}

}  // namespace

Identity MakeFounder(absl::string_view name, const InitialCluster& cluster, uint64_t incarnation,
                     uint64_t snapshot) {
  Identity identity;
  identity.name = std::string(name);
  identity.token = cluster.token;
  identity.incarnation = incarnation;
  for (const ClusterEntry& entry : cluster.members) {
    const NodeId id = FounderIdOf(entry.peer_url.ToString(), cluster.token);
    CHECK(id != kNoNode) << entry.name;
    identity.first_members.push_back({id, entry.name, entry.peer_url});
    if (entry.name == name) identity.member = id;
  }
  CHECK(identity.member != kNoNode) << "no member is called " << std::string(name);
  std::sort(identity.first_members.begin(), identity.first_members.end(),
            [](const KnownMember& a, const KnownMember& b) { return a.id < b.id; });
  identity.snapshot = snapshot;
  identity.cluster = ClusterIdOf(identity.first_members, snapshot);
  return identity;
}

std::string FormatIdentity(const Identity& identity) {
  std::string text =
      absl::StrCat(kFirstLine, "cluster ", FormatId(identity.cluster.value()), "\nmember ",
                   FormatId(identity.member.value()), " ", identity.name, "\nincarnation ",
                   FormatId(identity.incarnation), "\ntoken ", identity.token, "\n");
  if (identity.origin == Origin::kJoiner) {
    absl::StrAppend(&text, "known-at ", identity.known_at.value(), "\n");
  }
  if (identity.snapshot != 0) {
    absl::StrAppend(&text, "snapshot ", FormatId(identity.snapshot), "\n");
  }
  for (const KnownMember& member : identity.first_members) {
    absl::StrAppend(&text, WordOf(identity.origin), " ", FormatId(member.id.value()), " ",
                    member.name, " ", member.peer_url.ToString(), "\n");
  }
  return WithChecksum(text);
}

absl::StatusOr<Identity> ParseIdentity(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::StartsWith(text, kFirstWord) && !ConsumeFirstLine(rest)) {
    return absl::UnimplementedError("was written by a newer version of pontoon");
  }
  const absl::Status damaged = absl::DataLossError("is damaged");
  std::optional<absl::string_view> body = CheckedBody(text);
  if (!body.has_value()) return damaged;
  if (!ConsumeFirstLine(*body)) return damaged;
  Identity identity;
  for (const absl::string_view line : absl::StrSplit(*body, '\n', absl::SkipEmpty())) {
    if (!ParseLine(line, identity)) return damaged;
  }
  const bool is_one_of_them =
      std::any_of(identity.first_members.begin(), identity.first_members.end(),
                  [&](const KnownMember& member) { return member.id == identity.member; });
  if (!is_one_of_them) return damaged;
  if (identity.origin == Origin::kFounder &&
      identity.cluster != ClusterIdOf(identity.first_members, identity.snapshot)) {
    return damaged;
  }
  return identity;
}

std::string FormatId(uint64_t id) { return absl::StrFormat("%016x", id); }

}  // namespace pontoon
