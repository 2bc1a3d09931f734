#include "raft/node/testing/in_memory.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "raft/base/check.h"
#include "raft/env/testing/memory_snapshot.h"

namespace pontoon::raft {

// ---- MemoryLog

namespace {

absl::Status DiskIsBroken() { return absl::DataLossError("the disk is broken"); }

MembershipHistory::Item MembershipOf(const Entry& entry) {
  const absl::StatusOr<Membership> membership = DecodeMembership(*entry.payload);
  CHECK(membership.ok()) << "entry " << entry.index;
  return {entry.index, entry.request, *membership};
}

}  // namespace

absl::Status MemoryLog::Write(std::span<const PersistBatch> batches) {
  std::lock_guard lock(mutex_);
  if (broken_) return DiskIsBroken();
  ++writes_;
  for (const PersistBatch& batch : batches) {
    if (batch.hard_state.has_value()) hard_state_ = *batch.hard_state;
    if (batch.reset_to.has_value()) {
      Reset(*batch.reset_to, batch.reset_membership ? *batch.reset_membership : "");
    }
    if (batch.truncate_from.has_value()) {
      CHECK(*batch.truncate_from > base_.index && *batch.truncate_from <= last().Next());
      entries_.resize(*batch.truncate_from - base_.index.Next());
    }
    for (const Entry& entry : batch.entries) {
      CHECK_EQ(entry.index, last().Next());
      entries_.push_back(entry);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Entry>> MemoryLog::Read(LogIndex first, LogIndex last,
                                                   size_t bytes_max) const {
  std::lock_guard lock(mutex_);
  if (!read_status_.ok()) return read_status_;
  if (first <= base_.index || first > this->last()) {
    return absl::OutOfRangeError("not in the log");
  }
  std::vector<Entry> entries;
  size_t bytes = 0;
  for (LogIndex i = first; i <= std::min(last, this->last()); ++i) {
    const Entry& entry = entries_[i - base_.index.Next()];
    bytes += entry.CountedBytes();
    if (!entries.empty() && bytes > bytes_max) break;
    entries.push_back(entry);
  }
  return entries;
}

absl::Status MemoryLog::DropPrefix(LogIndex upto) {
  std::lock_guard lock(mutex_);
  if (broken_) return DiskIsBroken();
  while (!entries_.empty() && entries_.front().index <= upto) {
    const Entry& entry = entries_.front();
    base_ = {entry.index, entry.term};
    if (entry.kind == EntryKind::kMembership) base_membership_ = MembershipOf(entry);
    entries_.pop_front();
  }
  return absl::OkStatus();
}

LogPosition MemoryLog::base() const {
  std::lock_guard lock(mutex_);
  return base_;
}

uint64_t MemoryLog::SizeBytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const Entry& entry : entries_) bytes += entry.CountedBytes();
  return bytes;
}

absl::Status MemoryLog::ResetTo(LogPosition base, std::string membership) {
  std::lock_guard lock(mutex_);
  if (broken_) return DiskIsBroken();
  Reset(base, membership);
  return absl::OkStatus();
}

void MemoryLog::Reset(LogPosition base, const std::string& membership) {
  base_ = base;
  entries_.clear();
  if (membership.empty()) return;
  const absl::StatusOr<Membership> decoded = DecodeMembership(membership);
  CHECK(decoded.ok()) << decoded.status();
  base_membership_ = {base.index, RequestId{}, *decoded};
}

RecoveredLog MemoryLog::Recovered() const {
  std::lock_guard lock(mutex_);
  RecoveredLog recovered{
      .hard_state = hard_state_, .base = base_, .last = last(), .terms = {}, .memberships = {}};
  if (base_membership_) recovered.memberships.push_back(*base_membership_);
  for (const Entry& entry : entries_) {
    if (recovered.terms.empty() || recovered.terms.back().term != entry.term) {
      recovered.terms.push_back({entry.index, entry.term});
    }
    if (entry.kind == EntryKind::kMembership) recovered.memberships.push_back(MembershipOf(entry));
  }
  return recovered;
}

void MemoryLog::Break() {
  std::lock_guard lock(mutex_);
  broken_ = true;
}

void MemoryLog::FailReads(absl::Status status) {
  std::lock_guard lock(mutex_);
  read_status_ = std::move(status);
}

int MemoryLog::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

// ---- Journal

namespace {

absl::Status BrokenState() { return absl::DataLossError("the state is broken"); }

}  // namespace

LogPosition Journal::Applied() const {
  std::lock_guard lock(mutex_);
  return applied_;
}

absl::Status Journal::Apply(std::span<ApplyItem> items) {
  std::lock_guard lock(mutex_);
  if (broken_) return BrokenState();
  batches_.push_back(items.size());
  for (ApplyItem& item : items) {
    CHECK_EQ(item.entry.index, applied_.index.Next());
    applied_ = {item.entry.index, item.entry.term};
    if (item.entry.kind == EntryKind::kMembership) membership_ = *item.entry.payload;
    if (item.entry.kind != EntryKind::kCommand) continue;
    commands_.push_back(*item.entry.payload);
    if (!item.wants_result) continue;
    auto result = std::make_unique<Result>();
    result->place = commands_.size() - 1;
    item.result = std::move(result);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Journal::Membership() const {
  std::lock_guard lock(mutex_);
  return membership_;
}

absl::Status Journal::Sync() {
  std::lock_guard lock(mutex_);
  return broken_ ? BrokenState() : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SnapshotSource>> Journal::OpenSnapshot() {
  std::lock_guard lock(mutex_);
  std::string content;
  for (const std::string& command : commands_) {
    const size_t bytes = command.size();
    content.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
    content.append(command);
  }
  return std::make_unique<MemorySnapshotSource>(applied_, content, membership_);
}

absl::StatusOr<std::unique_ptr<SnapshotSink>> Journal::BeginSnapshot(LogPosition position) {
  std::lock_guard lock(mutex_);
  if (position.index <= applied_.index) return absl::FailedPreconditionError("not a later state");
  return std::make_unique<MemorySnapshotSink>(position);
}

absl::Status Journal::Install(std::unique_ptr<SnapshotSink> sink) {
  const auto& finished = dynamic_cast<const MemorySnapshotSink&>(*sink);
  std::vector<std::string> commands;
  for (std::string_view rest = finished.content(); !rest.empty();) {
    size_t bytes = 0;
    std::memcpy(&bytes, rest.data(), sizeof(bytes));
    commands.emplace_back(rest.substr(sizeof(bytes), bytes));
    rest.remove_prefix(sizeof(bytes) + bytes);
  }
  std::lock_guard lock(mutex_);
  if (broken_) return BrokenState();
  CHECK_GT(finished.position().index, applied_.index) << "a state never goes back";
  applied_ = finished.position();
  commands_ = std::move(commands);
  membership_ = finished.Membership().value();
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

}  // namespace pontoon::raft
