#include "kv/monitor/member_metrics.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "kv/service/version.h"

namespace pontoon::kv {
namespace {

using raft::FollowerProgress;
using raft::NodeInstruments;
using raft::ReplicaStatus;
using raft::Role;

double ToDouble(uint64_t value) { return static_cast<double>(value); }
double ToDouble(bool value) { return value ? 1 : 0; }
template <typename Tag, typename Number>
double ToDouble(StrongInt<Tag, Number> value) {
  return static_cast<double>(value.value());
}

const char* CauseName(raft::ElectionCause cause) {
  switch (cause) {
    case raft::ElectionCause::kNoLeaderHeard:
      return "no_leader_heard";
    case raft::ElectionCause::kLeaderGone:
      return "leader_gone";
    case raft::ElectionCause::kHandOver:
      return "hand_over";
  }
  return "unknown";
}

uint64_t ApplyLag(const ReplicaStatus& status) {
  return status.commit.value() - status.applied.value();
}

double WriteStallSeconds(const MemberReading& reading) {
  const Instant begun = Instant::FromNanos(
      reading.instruments->log_writes.begun_nanos.load(std::memory_order_relaxed));
  if (begun == Instant::InfinitePast()) return 0;
  return std::max(absl::ToDoubleSeconds(reading.now - begun), 0.0);
}

void AddRole(const ReplicaStatus& status, MetricList* list) {
  list->AddGauge("pontoon_raft_has_leader", "1 while this member knows a leader.",
                 ToDouble(status.leader != kNoNode));
  list->AddGauge("pontoon_raft_is_leader", "1 while this member leads.",
                 ToDouble(status.role == Role::kLeader));
  list->AddGauge("pontoon_raft_is_learner", "1 while this member has no vote.",
                 ToDouble(status.membership.IsLearner(status.self)));
  list->AddGauge("pontoon_raft_term", "The term of this member.", ToDouble(status.term));
  list->AddGauge("pontoon_raft_voters", "Members with a vote, as far as this member knows.",
                 static_cast<double>(status.membership.voters.size()));
  list->AddGauge("pontoon_raft_learners", "Members without a vote, as far as this member knows.",
                 static_cast<double>(status.membership.learners.size()));
}

void AddPositions(const ReplicaStatus& status, MetricList* list) {
  list->AddGauge("pontoon_raft_last_index", "The last entry of this member's log.",
                 ToDouble(status.last_index));
  list->AddGauge("pontoon_raft_commit_index", "The last entry that this member knows is committed.",
                 ToDouble(status.commit));
  list->AddGauge("pontoon_raft_applied_index", "The last entry that this member has applied.",
                 ToDouble(status.applied));
  list->AddGauge("pontoon_raft_apply_lag_entries",
                 "Entries that this member knows are committed and has not applied.",
                 ToDouble(ApplyLag(status)));
}

void AddFollowers(const ReplicaStatus& status, MetricList* list) {
  const auto add = [&](absl::string_view name, absl::string_view help, auto value_of) {
    for (const FollowerProgress& follower : status.followers) {
      list->AddGauge(name, help, value_of(follower), {{"peer", FormatNodeId(follower.node)}});
    }
  };
  add("pontoon_raft_follower_match_index",
      "On the leader: the last entry that the follower has acknowledged.",
      [](const FollowerProgress& f) { return ToDouble(f.match); });
  add("pontoon_raft_follower_lag_entries",
      "On the leader: entries that the follower has not acknowledged.",
      [](const FollowerProgress& f) { return ToDouble(f.lag_entries); });
  add("pontoon_raft_follower_lag_bytes",
      "On the leader: bytes of the entries that the follower has not acknowledged.",
      [](const FollowerProgress& f) { return ToDouble(f.lag_bytes); });
  add("pontoon_raft_follower_lag_seconds",
      "On the leader: age of the oldest entry that the follower has not acknowledged; 0 if it has "
      "all.",
      [](const FollowerProgress& f) { return absl::ToDoubleSeconds(f.lag_age); });
  add("pontoon_raft_follower_contact_age_seconds",
      "On the leader: time since the follower was heard of; +Inf if never in this term.",
      [](const FollowerProgress& f) { return absl::ToDoubleSeconds(f.last_contact_age); });
  add("pontoon_raft_follower_gets_snapshot",
      "On the leader: 1 while the follower needs a snapshot.",
      [](const FollowerProgress& f) { return ToDouble(f.gets_snapshot); });
}

void AddElections(const NodeInstruments& instruments, MetricList* list) {
  list->AddCounter("pontoon_raft_leader_changes_total",
                   "Leaders that this member has heard of since it started.",
                   ToDouble(instruments.leader_changes.value()));
  for (size_t i = 0; i < instruments.elections.size(); ++i) {
    list->AddCounter("pontoon_raft_elections_total", "Elections that this member began, by cause.",
                     ToDouble(instruments.elections[i].value()),
                     {{"cause", CauseName(static_cast<raft::ElectionCause>(i))}});
  }
}

void AddProposals(const raft::ProposalInstruments& proposals, MetricList* list) {
  list->AddGauge("pontoon_raft_proposals_waiting",
                 "Writes of this member's clients that are under way.",
                 static_cast<double>(proposals.waiting.load(std::memory_order_relaxed)));
  list->AddCounter("pontoon_raft_proposals_applied_total",
                   "Writes of this member's clients that were applied.",
                   ToDouble(proposals.applied.value()));
  const auto add_failed = [&](const char* reason, const Counter& counter) {
    list->AddCounter("pontoon_raft_proposals_failed_total",
                     "Writes of this member's clients that were not applied, or (unknown) of which "
                     "this member does not know whether they were.",
                     ToDouble(counter.value()), {{"reason", reason}});
  };
  add_failed("no_leader", proposals.no_leader);
  add_failed("overloaded", proposals.overloaded);
  add_failed("stopped", proposals.stopped);
  add_failed("unknown", proposals.unknown);
  list->AddCounter("pontoon_raft_proposals_forwarded_total",
                   "Writes that this member sent on to the leader.",
                   ToDouble(proposals.forwarded.value()));
}

void AddDurations(const MemberReading& reading, MetricList* list) {
  const NodeInstruments& instruments = *reading.instruments;
  list->AddHistogram("pontoon_raft_commit_duration_seconds",
                     "On the leader: from the append of an entry until a quorum has it on disk.",
                     instruments.commits.Read());
  list->AddHistogram("pontoon_raft_apply_duration_seconds",
                     "Time to apply a batch of committed entries to the store.",
                     instruments.applies.Read());
  list->AddCounter("pontoon_raft_entries_applied_total", "Entries that this member has applied.",
                   ToDouble(instruments.entries_applied.value()));
  for (const auto& [peer, durations] : instruments.round_trips.Read()) {
    list->AddHistogram("pontoon_raft_peer_round_trip_seconds",
                       "On the leader: from a heartbeat to its answer.", durations,
                       {{"peer", FormatNodeId(peer)}});
  }
  list->AddHistogram("pontoon_log_write_duration_seconds",
                     "Time to write a batch to the log and sync it.",
                     instruments.log_writes.durations.Read());
  list->AddGauge("pontoon_log_write_pending_seconds",
                 "How long the write to the log that is under way has taken so far.",
                 WriteStallSeconds(reading));
}

void AddLeaseReads(const NodeInstruments& instruments, MetricList* list) {
  const auto add = [&](const char* result, const Counter& counter) {
    list->AddCounter(
        "pontoon_raft_lease_reads_total",
        "Questions for lease reads that this member answered as leader: at once (held) "
        "or after a round trip to a quorum (missed).",
        ToDouble(counter.value()), {{"lease", result}});
  };
  add("held", instruments.lease_reads_held);
  add("missed", instruments.lease_reads_missed);
}

void AddSnapshots(const raft::SnapshotInstruments& snapshots, MetricList* list) {
  list->AddCounter("pontoon_snapshot_sent_total", "Snapshots that a follower has got from here.",
                   ToDouble(snapshots.sent.value()));
  list->AddCounter("pontoon_snapshot_send_failures_total",
                   "Snapshots that could not be sent to the end.",
                   ToDouble(snapshots.send_failures.value()));
  list->AddCounter("pontoon_snapshot_sent_bytes_total", "Bytes of snapshots that were sent.",
                   ToDouble(snapshots.bytes_sent.value()));
  list->AddCounter("pontoon_snapshot_received_total", "Snapshots that came whole to this member.",
                   ToDouble(snapshots.received.value()));
  list->AddCounter("pontoon_snapshot_received_bytes_total",
                   "Bytes of snapshots that came to this member.",
                   ToDouble(snapshots.bytes_received.value()));
}

void AddStore(const MemberReading& reading, MetricList* list) {
  list->AddGauge("pontoon_log_bytes", "Bytes of the entries in the log.",
                 ToDouble(reading.log_bytes));
  list->AddGauge("pontoon_store_bytes", "Bytes of the store on the disk.",
                 ToDouble(reading.store.disk_bytes));
  list->AddGauge("pontoon_store_live_bytes",
                 "About the bytes of the store without what the database has not cleaned up yet; "
                 "this is what the quota bounds.",
                 ToDouble(reading.store.live_bytes));
  if (reading.quota_bytes >= 0) {
    list->AddGauge("pontoon_store_quota_bytes",
                   "The size of the store from which on what needs space is refused.",
                   static_cast<double>(reading.quota_bytes));
  }
  list->AddGauge("pontoon_store_revision", "The current revision of this member.",
                 ToDouble(reading.store.revision));
  list->AddGauge("pontoon_store_compacted_revision",
                 "Revisions before this one cannot be read any more; -1 if all can.",
                 ToDouble(reading.store.compacted));
}

void AddConditions(const StoreInstruments& store, MetricList* list) {
  const auto add_once = [&](const char* outcome, const Counter& counter) {
    list->AddCounter(
        "pontoon_once_writes_total",
        "Writes of this member's clients that are to be done once, by what came of them: decided "
        "(done, or refused for good), repeated (answered as an earlier copy), or, with nothing "
        "decided, session_not_found, forgotten, reused, too_many.",
        ToDouble(counter.value()), {{"outcome", outcome}});
  };
  add_once("decided", store.once_decided);
  add_once("repeated", store.once_repeated);
  add_once("session_not_found", store.once_session_not_found);
  add_once("forgotten", store.once_forgotten);
  add_once("reused", store.once_reused);
  add_once("too_many", store.once_too_many);
  list->AddCounter("pontoon_fence_refusals_total",
                   "Writes of this member's clients that were refused because the lock of their "
                   "fence was not held any more; later copies of such a write are not counted.",
                   ToDouble(store.fenced.value()));
}

void AddAlarms(const AlarmSet& alarms, MetricList* list) {
  for (const etcdserverpb::AlarmType type : {etcdserverpb::NOSPACE, etcdserverpb::CORRUPT}) {
    const auto count =
        std::count_if(alarms.raised().begin(), alarms.raised().end(),
                      [type](const AlarmSet::Alarm& alarm) { return alarm.type == type; });
    list->AddGauge("pontoon_alarms", "Members that an alarm is raised for, by its kind.",
                   static_cast<double>(count), {{"type", AlarmType_Name(type)}});
  }
}

void AddClients(const ClientActivity& clients, MetricList* list) {
  list->AddGauge("pontoon_watch_streams", "Watch streams that clients have open at this member.",
                 static_cast<double>(clients.watch_streams));
  list->AddGauge("pontoon_watch_watchers", "Watchers on these streams.",
                 static_cast<double>(clients.watchers));
  list->AddGauge("pontoon_watch_slow_watchers",
                 "Watchers that are behind the store: they read history, or their clients are "
                 "slow.",
                 static_cast<double>(clients.slow_watchers));
  list->AddCounter("pontoon_watch_events_total", "Events that were sent, one for each watcher.",
                   ToDouble(clients.watch_events));
  list->AddGauge("pontoon_lease_leases", "On the leader: leases whose time it keeps.",
                 static_cast<double>(clients.leases));
  list->AddCounter("pontoon_lease_expired_total",
                   "Leases that had expired and that this member revoked as the leader.",
                   ToDouble(clients.leases_expired));
}

}  // namespace

void AddMemberMetrics(const MemberReading& reading, MetricList* list) {
  list->AddGauge("pontoon_build_info", "1; what runs here.", 1,
                 {{"version", kPontoonVersion}, {"etcd_api", kEtcdApiVersion}});
  list->AddGauge("pontoon_member_info",
                 "1; the id of this member, by which others name it as their peer, and its name.",
                 1, {{"member", FormatNodeId(reading.status.self)}, {"name", reading.name}});
  AddRole(reading.status, list);
  AddPositions(reading.status, list);
  AddFollowers(reading.status, list);
  AddElections(*reading.instruments, list);
  AddProposals(reading.instruments->proposals, list);
  AddDurations(reading, list);
  AddLeaseReads(*reading.instruments, list);
  AddSnapshots(reading.instruments->snapshots, list);
  AddStore(reading, list);
  AddConditions(*reading.store_instruments, list);
  AddAlarms(reading.alarms, list);
  AddClients(reading.clients, list);
}

// The meanings are etcd's; a help text of its own says where ours is a near relation.
void AddEtcdMemberMetrics(const MemberReading& reading, MetricList* list) {
  const ReplicaStatus& status = reading.status;
  const NodeInstruments& instruments = *reading.instruments;
  const raft::ProposalInstruments& proposals = instruments.proposals;
  list->AddGauge("etcd_server_has_leader", "As pontoon_raft_has_leader.",
                 ToDouble(status.leader != kNoNode));
  list->AddGauge("etcd_server_is_leader", "As pontoon_raft_is_leader.",
                 ToDouble(status.role == Role::kLeader));
  list->AddGauge("etcd_server_is_learner", "As pontoon_raft_is_learner.",
                 ToDouble(status.membership.IsLearner(status.self)));
  list->AddCounter("etcd_server_leader_changes_seen_total", "As pontoon_raft_leader_changes_total.",
                   ToDouble(instruments.leader_changes.value()));
  list->AddGauge("etcd_server_proposals_committed_total", "As pontoon_raft_commit_index.",
                 ToDouble(status.commit));
  list->AddGauge("etcd_server_proposals_applied_total", "As pontoon_raft_applied_index.",
                 ToDouble(status.applied));
  list->AddGauge("etcd_server_proposals_pending", "As pontoon_raft_proposals_waiting.",
                 static_cast<double>(proposals.waiting.load(std::memory_order_relaxed)));
  list->AddCounter("etcd_server_proposals_failed_total",
                   "The sum of pontoon_raft_proposals_failed_total.",
                   ToDouble(proposals.no_leader.value() + proposals.overloaded.value() +
                            proposals.stopped.value() + proposals.unknown.value()));
  list->AddHistogram("etcd_disk_wal_fsync_duration_seconds",
                     "As pontoon_log_write_duration_seconds: with the write before the sync.",
                     instruments.log_writes.durations.Read());
  list->AddHistogram("etcd_disk_backend_commit_duration_seconds",
                     "As pontoon_raft_apply_duration_seconds.", instruments.applies.Read());
  list->AddGauge("etcd_mvcc_db_total_size_in_bytes", "As pontoon_store_bytes.",
                 ToDouble(reading.store.disk_bytes));
  list->AddGauge("etcd_mvcc_db_total_size_in_use_in_bytes", "As pontoon_store_live_bytes.",
                 ToDouble(reading.store.live_bytes));
  if (reading.quota_bytes >= 0) {
    list->AddGauge("etcd_server_quota_backend_bytes", "As pontoon_store_quota_bytes.",
                   static_cast<double>(reading.quota_bytes));
  }
  list->AddGauge("etcd_debugging_mvcc_watch_stream_total", "As pontoon_watch_streams.",
                 static_cast<double>(reading.clients.watch_streams));
  list->AddGauge("etcd_debugging_mvcc_watcher_total", "As pontoon_watch_watchers.",
                 static_cast<double>(reading.clients.watchers));
  list->AddGauge("etcd_debugging_mvcc_slow_watcher_total", "As pontoon_watch_slow_watchers.",
                 static_cast<double>(reading.clients.slow_watchers));
  list->AddCounter("etcd_debugging_mvcc_events_total", "As pontoon_watch_events_total.",
                   ToDouble(reading.clients.watch_events));
  list->AddCounter("etcd_debugging_server_lease_expired_total", "As pontoon_lease_expired_total.",
                   ToDouble(reading.clients.leases_expired));
  for (const auto& [peer, durations] : instruments.round_trips.Read()) {
    list->AddHistogram("etcd_network_peer_round_trip_time_seconds",
                       "As pontoon_raft_peer_round_trip_seconds.", durations,
                       {{"To", FormatNodeId(peer)}});
  }
}

}  // namespace pontoon::kv
