#include "kv/service/status_reporter.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/service/version.h"

namespace pontoon::kv {

using etcdserverpb::StatusResponse;

pontoon::v1::Role ToProto(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return pontoon::v1::FOLLOWER;
    case raft::Role::kPreCandidate:
      return pontoon::v1::PRE_CANDIDATE;
    case raft::Role::kCandidate:
      return pontoon::v1::CANDIDATE;
    case raft::Role::kLeader:
      return pontoon::v1::LEADER;
  }
  return pontoon::v1::ROLE_UNKNOWN;
}

namespace {

void FillFollower(const raft::FollowerProgress& progress, pontoon::v1::FollowerStatus* follower) {
  follower->set_member_id(progress.node.value());
  follower->set_match_index(progress.match.value());
  follower->set_last_contact_age_ms(progress.last_contact_age == absl::InfiniteDuration()
                                        ? -1
                                        : absl::ToInt64Milliseconds(progress.last_contact_age));
  follower->set_lag_entries(progress.lag_entries);
  follower->set_lag_bytes(progress.lag_bytes);
  follower->set_lag_age_ms(absl::ToInt64Milliseconds(progress.lag_age));
  follower->set_gets_snapshot(progress.gets_snapshot);
}

void FillRaft(const raft::ReplicaStatus& status, StatusResponse* response) {
  response->set_leader(status.leader.value());
  response->set_raftterm(status.term.value());
  response->set_raftindex(status.commit.value());
  response->set_last_log_index(status.last_index.value());
  response->set_raftappliedindex(status.applied.value());
  response->set_islearner(status.membership.IsLearner(status.self));
  response->set_role(ToProto(status.role));
  if (status.leader == kNoNode) response->add_errors(std::string(kErrNoLeader.text));
  for (const raft::FollowerProgress& progress : status.followers) {
    FillFollower(progress, response->add_followers());
  }
}

// In etcd's words, the blank at the end included.
std::string Describe(const AlarmSet::Alarm& alarm) {
  return absl::StrCat("memberID:", alarm.member.value(),
                      " alarm:", etcdserverpb::AlarmType_Name(alarm.type), " ");
}

}  // namespace

void StatusReporter::Fill(StatusResponse* response) const {
  const raft::ReplicaStatus status = parts_.member->replica()->Status();
  const KvStore::Statistics statistics = parts_.store->Stats();
  parts_.member->FillHeader(status.term, response->mutable_header());
  response->mutable_header()->set_revision(statistics.revision.value());
  response->set_version(kEtcdApiVersion);
  response->set_storageversion(kEtcdApiVersion);
  response->set_pontoon_version(kPontoonVersion);
  // What is still in memory may make the second number the greater one: clients expect a part.
  response->set_dbsize(static_cast<int64_t>(statistics.disk_bytes));
  response->set_dbsizeinuse(
      static_cast<int64_t>(std::min(statistics.live_bytes, statistics.disk_bytes)));
  response->set_dbsizequota(parts_.quota_bytes);
  response->mutable_downgradeinfo();  // none is under way
  FillRaft(status, response);
  for (const AlarmSet::Alarm& alarm : parts_.store->View()->alarms().raised()) {
    response->add_errors(Describe(alarm));
  }
  if (parts_.add_more != nullptr) parts_.add_more(response);
}

}  // namespace pontoon::kv
