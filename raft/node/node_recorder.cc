#include "raft/node/node_recorder.h"

#include <optional>
#include <variant>

namespace pontoon::raft {

NodeRecorder::NodeRecorder(const RaftCore* core, NodeInstruments* instruments, LogIndex last,
                           Instant now)
    : core_(core), instruments_(instruments), timeline_(last, now), commit_(core->commit()) {}

void NodeRecorder::OnMessage(Instant now, const Message& message) {
  const auto* ack = std::get_if<HeartbeatAck>(&message.body);
  if (ack == nullptr || message.term != core_->term()) return;
  instruments_->round_trips.OnAnswer(message.from, ack->round, now);
}

void NodeRecorder::OnLogCompacted(LogIndex base) { timeline_.Forget(base); }

void NodeRecorder::OnReady(Instant now, const Ready& ready) {
  if (ready.role_change) OnRoleChange(now, *ready.role_change);
  for (const Message& message : ready.messages) {
    if (const auto* heartbeat = std::get_if<Heartbeat>(&message.body)) {
      instruments_->round_trips.OnHeartbeat(message.to, heartbeat->round, now);
    }
  }
  if (ready.persist) OnBatch(now, *ready.persist);
  if (ready.committed) OnCommit(now);
  OnLeaseReads();
}

void NodeRecorder::OnBatch(Instant now, const PersistBatch& batch) {
  if (batch.reset_to) timeline_.Reset(batch.reset_to->index, now);
  if (batch.truncate_from) timeline_.CutAfter(batch.truncate_from->Prev());
  if (batch.entries.empty()) return;
  uint64_t bytes = 0;
  for (const Entry& entry : batch.entries) bytes += entry.CountedBytes();
  timeline_.Append(batch.entries.back().index, bytes, now);
}

// What an earlier leader appended was not committed for reasons of that time.
void NodeRecorder::OnCommit(Instant now) {
  if (core_->role() == Role::kLeader) {
    const std::optional<LogTimeline::Backlog> oldest = timeline_.After(commit_);
    if (oldest && oldest->since >= led_since_) instruments_->commits.Record(now - oldest->since);
  }
  commit_ = core_->commit();
}

void NodeRecorder::OnRoleChange(Instant now, const RoleChange& change) {
  if (change.attempt) instruments_->elections[static_cast<size_t>(*change.attempt)].Add();
  if (change.role == Role::kLeader) {
    led_since_ = now;
    led_from_ = timeline_.last();
  }
  if (change.leader != kNoNode) {
    const bool is_new = change.leader != leader_.leader || change.term != leader_.term;
    if (is_new) instruments_->leader_changes.Add();
    leader_ = {change.term, change.leader};
  }
  instruments_->round_trips.BeginAnew(core_->membership().AllNodes());
  std::lock_guard lock(mutex_);
  role_changes_.push_back({now, change});
  if (role_changes_.size() > kRoleChangesKept) role_changes_.pop_front();
}

void NodeRecorder::OnLeaseReads() {
  const RaftCore::LeaseReads& reads = core_->lease_reads();
  instruments_->lease_reads_held.Add(reads.held - lease_reads_.held);
  instruments_->lease_reads_missed.Add(reads.missed - lease_reads_.missed);
  lease_reads_ = reads;
}

NodeRecorder::Lag NodeRecorder::LagOf(LogIndex match) const {
  if (match == LogIndex()) match = led_from_;
  const std::optional<LogTimeline::Backlog> backlog = timeline_.After(match);
  if (!backlog) return {};
  return {.entries = core_->last_index().value() - match.value(),
          .bytes = backlog->bytes,
          .entries_unknown = backlog->entries_unknown,
          .since = backlog->since};
}

std::vector<PastRoleChange> NodeRecorder::RecentRoleChanges(Instant now) const {
  std::vector<PastRoleChange> changes;
  std::lock_guard lock(mutex_);
  for (const DatedRoleChange& dated : role_changes_) {
    changes.push_back({now - dated.at, dated.change});
  }
  return changes;
}

}  // namespace pontoon::raft
