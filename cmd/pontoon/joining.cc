#include "cmd/pontoon/joining.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cmd/pontoon/random.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);
constexpr absl::Duration kDelayMin = absl::Milliseconds(100);
constexpr absl::Duration kDelayMax = absl::Seconds(3);
constexpr absl::Duration kReportInterval = absl::Seconds(5);

// Whether the answer would be the same the next time.
bool IsFinal(const absl::Status& answer) {
  return absl::IsNotFound(answer) || absl::IsFailedPrecondition(answer) ||
         absl::IsInvalidArgument(answer);
}

absl::Status CannotJoin(absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("cannot join the cluster: ", why));
}

std::vector<std::string> Texts(const std::vector<Url>& urls) {
  std::vector<std::string> texts;
  for (const Url& url : urls) texts.push_back(url.ToString());
  return texts;
}

absl::StatusOr<raft::Introduction> Ask(const std::string& address,
                                       const std::vector<std::string>& own_urls) {
  auto answer = raft::AskForIntroduction(address, {own_urls}, kAnswerTimeout);
  if (absl::IsUnimplemented(answer.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(address,
                     " runs a version that cannot change its members: upgrade all "
                     "members before the first change of membership"));
  }
  if (!answer.ok()) return answer.status();
  return std::move(answer->introduction);
}

// Asks each of the others once. The last error that is not final, or the first that is.
absl::StatusOr<raft::Introduction> AskAround(const std::vector<std::string>& addresses,
                                             const std::vector<std::string>& own_urls) {
  absl::Status last;
  for (const std::string& address : addresses) {
    auto introduction = Ask(address, own_urls);
    if (introduction.ok() || IsFinal(introduction.status())) return introduction;
    last = absl::UnavailableError(absl::StrCat(address, ": ", introduction.status().message()));
  }
  return last;
}

absl::StatusOr<Newcomer> Join(const Config& config) {
  const std::vector<Url> own_urls = config.initial_cluster.PeerUrlsOf(config.name);
  std::vector<std::string> others;
  for (const ClusterEntry& entry : config.initial_cluster.members) {
    if (entry.name != config.name) others.push_back(entry.peer_url.HostPort());
  }
  if (others.empty()) {
    return CannotJoin(
        "--initial-cluster names nobody to ask: set it as \"pontoonctl member add\" prints it");
  }
  absl::Time report_at = absl::InfinitePast();
  for (absl::Duration delay = kDelayMin;; delay = std::min(2 * delay, kDelayMax)) {
    const auto introduction = AskAround(others, Texts(own_urls));
    if (introduction.ok()) return NewcomerFrom(config, *introduction, RandomBits());
    if (IsFinal(introduction.status())) return CannotJoin(introduction.status().message());
    if (absl::Now() >= report_at) {
      LogWarn("no member of the cluster can introduce this one yet; asking again",
              {{"asked", absl::StrJoin(others, ",")},
               {"reason", std::string(introduction.status().message())}});
      report_at = absl::Now() + kReportInterval;
    }
    absl::SleepFor(delay);
  }
}

}  // namespace

absl::StatusOr<Newcomer> NewcomerFrom(const Config& config, const raft::Introduction& introduction,
                                      uint64_t incarnation) {
  const InitialCluster& initial = config.initial_cluster;
  if (initial.token_given && introduction.token != initial.token) {
    return CannotJoin(absl::StrCat("it has the token ", introduction.token, ", not ", initial.token,
                                   ": correct --initial-cluster-token or --initial-cluster"));
  }
  Newcomer newcomer;
  Identity& identity = newcomer.identity;
  identity.cluster = ClusterId(introduction.cluster_id);
  identity.member = introduction.self;
  identity.name = config.name;
  identity.token = introduction.token;
  identity.origin = Origin::kJoiner;
  identity.incarnation = incarnation;
  identity.known_at = introduction.membership_index;
  for (const raft::Introduction::Member& member : introduction.members) {
    if (member.peer_urls.empty()) return CannotJoin("a member has no address");
    const absl::StatusOr<Url> url = ParseUrl(member.peer_urls.front());
    if (!url.ok()) return CannotJoin(url.status().message());
    const bool is_self = member.id == introduction.self;
    identity.first_members.push_back({member.id, is_self ? config.name : member.name, *url});
    if (member.data_incarnation.has_value() && !is_self) {
      newcomer.peers[member.id] = *member.data_incarnation;
    }
  }
  std::sort(identity.first_members.begin(), identity.first_members.end(),
            [](const KnownMember& a, const KnownMember& b) { return a.id < b.id; });
  return newcomer;
}

absl::StatusOr<Newcomer> MakeNewcomer(const Config& config) {
  if (config.initial_cluster.state == ClusterState::kExisting) return Join(config);
  return Newcomer{MakeFounder(config.name, config.initial_cluster, RandomBits())};
}

}  // namespace pontoon
