#include "kv/monitor/health.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {
namespace {

// As etcd's checks: whether there is such a key is no matter.
constexpr char kKey[] = "health";

}  // namespace

absl::string_view Health::Name(Check check) {
  switch (check) {
    case Check::kShutdown:
      return "shutdown";
    case Check::kLeader:
      return "leader";
    case Check::kNonLearner:
      return "non_learner";
    case Check::kApplied:
      return "applied";
    case Check::kDataCorruption:
      return "data_corruption";
    case Check::kDisk:
      return "disk";
    case Check::kSerializableRead:
      return "serializable_read";
    case Check::kLinearizableRead:
      return "linearizable_read";
  }
  return "unknown";
}

// Not what depends on others, or on the disk: a new start helps neither.
std::vector<Health::Check> Health::ChecksOfLiveness() { return {Check::kSerializableRead}; }

std::vector<Health::Check> Health::ChecksOfReadiness() {
  return {Check::kShutdown,         Check::kLeader,          Check::kNonLearner,
          Check::kApplied,          Check::kDataCorruption,  Check::kDisk,
          Check::kSerializableRead, Check::kLinearizableRead};
}

absl::Status Health::Look(Check check) const {
  switch (check) {
    case Check::kShutdown:
      return CheckShutdown();
    case Check::kLeader:
      return CheckLeader();
    case Check::kNonLearner:
      return CheckNonLearner();
    case Check::kApplied:
      return CheckApplied();
    case Check::kDataCorruption:
      return CheckDataCorruption();
    case Check::kDisk:
      return CheckDisk();
    case Check::kSerializableRead:
      return CheckSerializableRead();
    case Check::kLinearizableRead:
      return CheckLinearizableRead();
  }
  return absl::UnknownError("no such check");
}

std::vector<etcdserverpb::AlarmType> Health::Alarms() const {
  std::vector<etcdserverpb::AlarmType> kinds;
  const std::shared_ptr<const ReadView> view = parts_.store->View();
  for (const AlarmSet::Alarm& alarm : view->alarms().raised()) {  // by kind
    if (kinds.empty() || kinds.back() != alarm.type) kinds.push_back(alarm.type);
  }
  return kinds;
}

absl::Status Health::CheckShutdown() const {
  if (!retreating_) return absl::OkStatus();
  return absl::UnavailableError("this member is about to stop");
}

absl::Status Health::CheckLeader() const {
  if (parts_.replica->CurrentLeadership().leader != kNoNode) return absl::OkStatus();
  return absl::UnavailableError("no leader is known");
}

absl::Status Health::CheckNonLearner() const {
  const raft::ReplicaStatus status = parts_.replica->Status();
  if (status.membership.IsLastingVoter(status.self)) return absl::OkStatus();
  return absl::UnavailableError("this member has no vote");
}

absl::Status Health::CheckApplied() const {
  const raft::ReplicaStatus status = parts_.replica->Status();
  const uint64_t lag = status.commit.value() - status.applied.value();
  if (lag <= kApplyLagMax) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(lag, " committed entries wait to be applied"));
}

// As in etcd: of any member, since no member can be sure while the alarm is raised.
absl::Status Health::CheckDataCorruption() const {
  if (!parts_.store->View()->alarms().IsRaised(etcdserverpb::CORRUPT)) return absl::OkStatus();
  return absl::DataLossError("the alarm CORRUPT is raised");
}

absl::Status Health::CheckDisk() const {
  const Instant begun = Instant::FromNanos(
      parts_.instruments->log_writes.begun_nanos.load(std::memory_order_relaxed));
  if (begun == Instant::InfinitePast()) return absl::OkStatus();
  const absl::Duration age = parts_.clock->Now() - begun;
  if (age < options_.election_timeout) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("a write to the log has taken ",
                   absl::FormatDuration(absl::Trunc(age, absl::Milliseconds(1))), " so far"));
}

absl::Status Health::CheckSerializableRead() const {
  etcdserverpb::RangeRequest request;
  request.set_key(kKey);
  etcdserverpb::RangeResponse response;
  return parts_.store->View()->Range(request, &response);
}

absl::Status Health::CheckLinearizableRead() const {
  struct Answer {
    absl::Notification given;
    absl::Status status;
  };
  const auto answer = std::make_shared<Answer>();
  parts_.replica->ReadBarrier(raft::ReadMode::kQuorum, parts_.clock->Now() + options_.timeout,
                              [answer](absl::Status status) {
                                answer->status = std::move(status);
                                answer->given.Notify();
                              });
  // The replica itself may be what is stuck.
  if (!answer->given.WaitForNotificationWithTimeout(2 * options_.timeout)) {
    return absl::DeadlineExceededError("the replica does not answer");
  }
  if (!answer->status.ok()) {
    return absl::Status(
        answer->status.code(),
        absl::StrCat("no quorum confirmed a read within ", absl::FormatDuration(options_.timeout)));
  }
  return CheckSerializableRead();
}

}  // namespace pontoon::kv
