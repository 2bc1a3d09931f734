#include "raft/node/testing/in_memory.h"

#include <utility>

#include "raft/base/check.h"

namespace pontoon::raft {

// ---- MemoryLog

absl::Status MemoryLog::Write(std::span<const PersistBatch> batches) {
  std::lock_guard lock(mutex_);
  if (broken_) return absl::DataLossError("the disk is broken");
  ++writes_;
  for (const PersistBatch& batch : batches) {
    if (batch.hard_state.has_value()) hard_state_ = *batch.hard_state;
    if (batch.truncate_from.has_value()) entries_.resize(batch.truncate_from->value() - 1);
    for (const Entry& entry : batch.entries) {
      CHECK_EQ(entry.index, LogIndex(entries_.size() + 1));
      entries_.push_back(entry);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Entry>> MemoryLog::Read(LogIndex first, LogIndex last,
                                                   size_t bytes_max) const {
  std::lock_guard lock(mutex_);
  if (first < LogIndex(1) || first > LogIndex(entries_.size())) {
    return absl::OutOfRangeError("not in the log");
  }
  std::vector<Entry> entries;
  size_t bytes = 0;
  for (LogIndex i = first; i <= last && i <= LogIndex(entries_.size()); ++i) {
    const Entry& entry = entries_[i.value() - 1];
    bytes += entry.CountedBytes();
    if (!entries.empty() && bytes > bytes_max) break;
    entries.push_back(entry);
  }
  return entries;
}

absl::Status MemoryLog::ResetTo(LogPosition) {
  return absl::UnimplementedError("begins at the beginning");
}

RecoveredLog MemoryLog::Recovered() const {
  std::lock_guard lock(mutex_);
  RecoveredLog recovered{
      .hard_state = hard_state_, .base = {}, .last = LogIndex(entries_.size()), .terms = {}};
  for (const Entry& entry : entries_) {
    if (recovered.terms.empty() || recovered.terms.back().term != entry.term) {
      recovered.terms.push_back({entry.index, entry.term});
    }
  }
  return recovered;
}

void MemoryLog::Break() {
  std::lock_guard lock(mutex_);
  broken_ = true;
}

int MemoryLog::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

// ---- Journal

LogPosition Journal::Applied() const {
  std::lock_guard lock(mutex_);
  return applied_;
}

absl::Status Journal::Apply(std::span<ApplyItem> items) {
  std::lock_guard lock(mutex_);
  if (broken_) return absl::DataLossError("the state is broken");
  batches_.push_back(items.size());
  for (ApplyItem& item : items) {
    CHECK_EQ(item.entry.index, applied_.index.Next());
    applied_ = {item.entry.index, item.entry.term};
    if (item.entry.kind != EntryKind::kCommand) continue;
    commands_.push_back(*item.entry.payload);
    if (!item.wants_result) continue;
    auto result = std::make_unique<Result>();
    result->place = commands_.size() - 1;
    item.result = std::move(result);
  }
  return absl::OkStatus();
}

std::vector<std::string> Journal::commands() const {
  std::lock_guard lock(mutex_);
  return commands_;
}

std::vector<size_t> Journal::batches() const {
  std::lock_guard lock(mutex_);
  return batches_;
}

void Journal::Break() {
  std::lock_guard lock(mutex_);
  broken_ = true;
}

// ---- LocalNetwork

void LocalNetwork::Send(std::vector<Message> messages) {
  wire_->Post([this, messages = std::move(messages)]() mutable { Deliver(std::move(messages)); });
}

void LocalNetwork::Deliver(std::vector<Message> messages) {
  std::lock_guard lock(mutex_);
  for (Message& message : messages) {
    const auto receiver = receivers_.find(message.to);
    if (receiver == receivers_.end()) continue;
    if (isolated_.contains(message.from) || isolated_.contains(message.to)) continue;
    if (is_lost_ && is_lost_(message)) continue;
    std::vector<Message> one;
    one.push_back(std::move(message));
    receiver->second->OnMessages(std::move(one));
  }
}

void LocalNetwork::Connect(NodeId node, TransportReceiver* receiver) {
  std::lock_guard lock(mutex_);
  receivers_.erase(node);
  if (receiver != nullptr) receivers_.emplace(node, receiver);
}

void LocalNetwork::Isolate(NodeId node) {
  std::lock_guard lock(mutex_);
  isolated_.insert(node);
}

void LocalNetwork::Rejoin(NodeId node) {
  std::lock_guard lock(mutex_);
  isolated_.erase(node);
}

void LocalNetwork::Lose(std::function<bool(const Message&)> is_lost) {
  std::lock_guard lock(mutex_);
  is_lost_ = std::move(is_lost);
}

// ---- ManualExecutor

bool ManualExecutor::RunDue(Instant now) {
  bool ran = false;
  for (;;) {
    while (!timers_.empty() && timers_.begin()->first <= now) {
      tasks_.push_back(std::move(timers_.extract(timers_.begin()).mapped()));
    }
    if (tasks_.empty()) return ran;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    std::move(task)();
    ran = true;
  }
}

}  // namespace pontoon::raft
