#include "kv/maintenance/alarm_raiser.h"

#include <string>
#include <variant>

#include "absl/time/time.h"
#include "proto/command.pb.h"
#include "raft/env/log.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kProposalTimeout = absl::Seconds(5);

}  // namespace

AlarmRaiser::AlarmRaiser(raft::Replica* replica, const Clock* clock)
    : replica_(replica),
      clock_(clock),
      self_(replica->Status().self),
      under_way_(std::make_shared<std::atomic<bool>>(false)) {}

void AlarmRaiser::Raise(etcdserverpb::AlarmType type) {
  if (under_way_->exchange(true)) return;
  LogError("raises an alarm about this member", {{"alarm", etcdserverpb::AlarmType_Name(type)}});
  storage::v1::Command command;
  etcdserverpb::AlarmRequest& alarm = *command.mutable_alarm();
  alarm.set_action(etcdserverpb::AlarmRequest::ACTIVATE);
  alarm.set_memberid(self_.value());
  alarm.set_alarm(type);
  replica_->Propose(std::make_shared<const std::string>(command.SerializeAsString()),
                    clock_->Now() + kProposalTimeout,
                    [under_way = under_way_](raft::ProposeOutcome outcome) {
                      if (!std::holds_alternative<raft::Applied>(outcome)) {
                        LogWarn("the alarm may not be raised: no leader took it in time");
                      }
                      *under_way = false;
                    });
}

}  // namespace pontoon::kv
