#include "kv/maintenance/divergence_watch.h"

#include <algorithm>
#include <utility>

#include "raft/env/log.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kHandOverTimeout = absl::Seconds(1);

}  // namespace

void DivergenceWatch::Start() {
  parts_.executor->Post([this] { Look(); });
}

void DivergenceWatch::Suspect() {
  parts_.executor->Post([this] {
    is_suspected_ = true;
    const raft::ReplicaStatus status = parts_.replica->Status();
    Compare(status);
    Settle(status);
  });
}

void DivergenceWatch::Look() {
  const raft::ReplicaStatus status = parts_.replica->Status();
  if (status.leader == status.self || is_suspected_) Compare(status);
  Settle(status);
  parts_.executor->PostAt(parts_.clock->Now() + kLookInterval, [this] { Look(); });
}

// While a joint configuration is in effect there are two majorities; it is over in a moment.
void DivergenceWatch::Compare(const raft::ReplicaStatus& status) {
  is_suspected_ = false;
  if (is_convicted_ || status.membership.IsJoint()) return;
  PeerUrls others = status.membership.peer_urls;
  others.erase(status.self);
  if (others.empty()) return;
  std::map<NodeId, DigestReport> reports = parts_.ask(others, Tone::kNeutral);
  reports[status.self] = ReportOf(*parts_.store);
  const Comparison found = CompareDigests(reports, status.membership.voters);
  if (found.is_undecided && !was_undecided_) {
    LogError(
        "the states of members differ, and no majority agrees: compare them by HashKV, and rebuild "
        "those that are wrong");
  }
  was_undecided_ = found.is_undecided;
  if (std::find(found.corrupt.begin(), found.corrupt.end(), status.self) != found.corrupt.end()) {
    Convict(status);
  } else {
    TellOthers(status, found.corrupt);
  }
}

void DivergenceWatch::Convict(const raft::ReplicaStatus& status) {
  LogError(
      "the state of this member differs from that of a majority: it serves nobody any more; start "
      "it with --rebuild-from-peers, and clear the alarm then",
      {{"member", status.self}, {"applied", parts_.store->View()->applied().index}});
  is_convicted_ = true;
  was_alarm_seen_ = false;
  if (status.leader != status.self) return;
  parts_.replica->TransferLeadership(kNoNode, parts_.clock->Now() + kHandOverTimeout,
                                     [](absl::Status) {});
}

void DivergenceWatch::TellOthers(const raft::ReplicaStatus& status,
                                 const std::vector<NodeId>& corrupt) {
  PeerUrls suspects;
  for (const NodeId node : corrupt) {
    const auto found = status.membership.peer_urls.find(node);
    if (found == status.membership.peer_urls.end() || IsAlarmRaised(node)) continue;
    LogError("the state of a member differs from that of a majority", {{"member", node}});
    suspects.insert(*found);
  }
  if (!suspects.empty()) parts_.ask(suspects, Tone::kSuspicion);
}

bool DivergenceWatch::IsAlarmRaised(NodeId member) const {
  const std::shared_ptr<const ReadView> view = parts_.store->View();
  const std::vector<AlarmSet::Alarm>& raised = view->alarms().raised();
  return std::find(raised.begin(), raised.end(), AlarmSet::Alarm{etcdserverpb::CORRUPT, member}) !=
         raised.end();
}

void DivergenceWatch::Settle(const raft::ReplicaStatus& status) {
  const bool is_raised = IsAlarmRaised(status.self);
  if (is_convicted_ && is_raised) was_alarm_seen_ = true;
  if (is_convicted_ && !is_raised && was_alarm_seen_) is_convicted_ = false;
  if (is_convicted_ && !is_raised) parts_.alarms->Raise(etcdserverpb::CORRUPT);
  parts_.set_corrupt(is_convicted_ || is_raised);
}

}  // namespace pontoon::kv
