#include "tests/integration/settings.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "raft/base/check.h"
#include "tests/integration/calls.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::Maintenance;

constexpr int kQuotaBytes = 1 << 20;
constexpr absl::Duration kQuickHeartbeat = absl::Milliseconds(50);
constexpr absl::Duration kQuickElection = absl::Milliseconds(250);

ClusterOptions OptionsFor(Setting setting, Program program) {
  ClusterOptions options{.program = program};
  switch (setting) {
    case Setting::kHealthy:
    case Setting::kOwn:
      break;
    case Setting::kFull:
      options.extra_flags["quota-backend-bytes"] = absl::StrCat(kQuotaBytes);
      [[fallthrough]];
    case Setting::kCorrupt:
    case Setting::kNewLearner:
    case Setting::kLearner:
      options.node_count = 1;
      break;
    case Setting::kOneAway:
    case Setting::kLeaderless:
    case Setting::kOwnQuick:
      options.heartbeat_interval = kQuickHeartbeat;
      options.election_timeout = kQuickElection;
      break;
  }
  return options;
}

absl::Status Fill(Cluster& cluster) {
  if (cluster.client(0).Put("large", std::string(kQuotaBytes, 'x')).ok()) {
    return absl::InternalError("more was put than the quota allows");
  }
  const bool alarmed =
      Eventually([&] { return cluster.client(0).Status().response.errors_size() == 1; });
  return alarmed ? absl::OkStatus() : absl::DeadlineExceededError("there is no alarm");
}

absl::Status SayCorrupt(Cluster& cluster) {
  const uint64_t member = cluster.client(0).Status().response.header().member_id();
  const auto raised = Call<Maintenance>(cluster.client(0), &Maintenance::Stub::Alarm,
                                        Parse<etcdserverpb::AlarmRequest>(absl::StrCat(
                                            "action: ACTIVATE alarm: CORRUPT memberID: ", member)));
  return raised.ok() ? absl::OkStatus() : absl::InternalError(raised.status.error_message());
}

absl::Status AddLearner(Cluster& cluster) {
  const auto added = cluster.client(0).MemberAddAsLearner(cluster.peer_url(cluster.AddNode()));
  return added.ok() ? absl::OkStatus() : absl::InternalError(added.status.error_message());
}

absl::Status StartLearner(Cluster& cluster) {
  if (absl::Status s = AddLearner(cluster); !s.ok()) return s;
  const int learner = cluster.size() - 1;
  if (absl::Status s = cluster.Start(learner); !s.ok()) return s;
  const bool there = Eventually([&] {
    const auto status = cluster.client(learner).Status();
    return status.ok() && status.response.islearner();
  });
  return there ? absl::OkStatus() : absl::DeadlineExceededError("there is no learner");
}

// Whether the leader has heard of all others. (A leader of etcd does not tell.)
bool HearsAll(Cluster& cluster, int leader) {
  const auto followers = cluster.client(leader).Status().response.followers();
  return followers.size() == cluster.size() - 1 &&
         std::all_of(followers.begin(), followers.end(),
                     [](const auto& follower) { return follower.last_contact_age_ms() >= 0; });
}

// How many followers the leader has not heard of for an election timeout.
int MissedBy(Cluster& cluster, int leader) {
  const auto status = cluster.client(leader).Status();
  const int64_t longest = absl::ToInt64Milliseconds(cluster.options().election_timeout);
  return static_cast<int>(std::count_if(
      status.response.followers().begin(), status.response.followers().end(),
      [&](const auto& follower) { return follower.last_contact_age_ms() >= longest; }));
}

absl::Status LoseOne(Cluster& cluster) {
  const absl::StatusOr<int> leader = cluster.WaitForLeader();
  if (!leader.ok()) return leader.status();
  const int lost = (*leader + 1) % cluster.size();
  if (cluster.options().program == Program::kEtcd) {
    cluster.Kill(lost);
    return absl::OkStatus();
  }
  // Of whom it has never heard, it cannot tell for how long.
  if (!Eventually([&] { return HearsAll(cluster, *leader); })) {
    return absl::DeadlineExceededError("the leader does not hear of all");
  }
  cluster.Kill(lost);
  const bool missed = Eventually([&] { return MissedBy(cluster, *leader) == 1; });
  return missed ? absl::OkStatus() : absl::DeadlineExceededError("the leader misses nobody");
}

absl::Status LoseQuorum(Cluster& cluster) {
  cluster.Kill({1, 2});
  const bool noticed =
      Eventually([&] { return cluster.client(0).Status().response.leader() == 0; });
  return noticed ? absl::OkStatus() : absl::DeadlineExceededError("there is still a leader");
}

absl::Status Prepare(Setting setting, Cluster& cluster) {
  switch (setting) {
    case Setting::kHealthy:
    case Setting::kOwn:
    case Setting::kOwnQuick:
      return absl::OkStatus();
    case Setting::kFull:
      return Fill(cluster);
    case Setting::kCorrupt:
      return SayCorrupt(cluster);
    case Setting::kNewLearner:
      return AddLearner(cluster);
    case Setting::kLearner:
      return StartLearner(cluster);
    case Setting::kOneAway:
      return LoseOne(cluster);
    case Setting::kLeaderless:
      return LoseQuorum(cluster);
  }
  return absl::InvalidArgumentError("no such setting");
}

bool MayBeShared(Setting setting) {
  return setting != Setting::kOwn && setting != Setting::kOwnQuick;
}

}  // namespace

absl::StatusOr<Cluster*> SharedClusters::Get(Setting setting, Program program) {
  Entry& entry = entries_[program];
  if (entry.cluster != nullptr && entry.setting == setting && MayBeShared(setting)) {
    return entry.cluster.get();
  }
  entry.cluster = nullptr;  // before there is another one
  auto cluster = std::make_unique<Cluster>(OptionsFor(setting, program));
  if (absl::Status s = cluster->StartAll(); !s.ok()) return s;
  if (absl::Status s = Prepare(setting, *cluster); !s.ok()) return s;
  entry = {setting, std::move(cluster)};
  return entry.cluster.get();
}

void ExpectUnharmed(Cluster& cluster) {
  for (const int node : cluster.AllNodes()) EXPECT_OK(cluster.client(node).Put("still", "up"));
  EXPECT_OK(cluster.WaitForLeader());
}

int RunningNode(const Cluster& cluster) {
  const std::vector<int> nodes = cluster.AllNodes();
  const auto running =
      std::find_if(nodes.begin(), nodes.end(), [&](int node) { return cluster.Runs(node); });
  CHECK(running != nodes.end());
  return *running;
}

}  // namespace pontoon::testing
