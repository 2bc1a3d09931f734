#include "tests/sim/ledger.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "raft/base/check.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {

OperationId OperationOf(const std::string& command) {
  uint64_t id = 0;
  CHECK_GE(command.size(), sizeof(id));
  std::memcpy(&id, command.data() + command.size() - sizeof(id), sizeof(id));
  return OperationId(id);
}

const Ledger::Known& Ledger::EntryAt(LogIndex index) const {
  CHECK(index >= LogIndex(1) && index <= last()) << index << " of " << last();
  return entries_[index.value() - 1];
}

Ledger::News Ledger::OnApplied(NodeId node, const Entry& entry, Term newest) {
  const uint64_t digest = Mix(0, entry);
  if (entry.index <= last()) {
    const Known& known = EntryAt(entry.index);
    CHECK(known.term == entry.term && known.digest == digest)
        << "node " << node << " applied at index " << entry.index << " an entry of term "
        << entry.term << ", where another of term " << known.term << " was applied before";
    return News::kKnown;
  }
  CHECK_EQ(entry.index, last().Next()) << "node " << node << " left out entries";
  if (!entries_.empty()) CHECK_GE(entry.term, entries_.back().term) << "terms of the log fall";
  if (entry.kind == EntryKind::kMembership) NoteMembership(entry);
  const Effect effect = entry.kind == EntryKind::kCommand ? Execute(entry) : kNoEffect;
  entries_.push_back({.applied_first = loop_->now(),
                      .term = entry.term,
                      .committed_by = newest,
                      .digest = digest,
                      .effect = effect,
                      .revision = model_.revision(),
                      .compacted = model_.compacted(),
                      .state_digest = std::nullopt});
  return News::kFirst;
}

LogIndex Ledger::LastAppliedBefore(SimTime time) const {
  const auto end =
      std::partition_point(entries_.begin(), entries_.end(),
                           [time](const Known& known) { return known.applied_first < time; });
  return LogIndex(static_cast<uint64_t>(end - entries_.begin()));
}

void Ledger::OnState(NodeId node, LogIndex index, const StateMark& mark) {
  if (index == LogIndex()) return;
  CHECK(index >= LogIndex(1) && index <= last()) << index << " of " << last();
  Known& known = entries_[index.value() - 1];
  CHECK_EQ(mark.revision, known.revision) << "the store of node " << node << " after " << index;
  CHECK_EQ(mark.compacted, known.compacted)
      << "the store of node " << node << " is compacted otherwise, after " << index;
  if (!known.state_digest.has_value()) known.state_digest = mark.digest;
  CHECK_EQ(mark.digest, *known.state_digest)
      << "the store of node " << node << " has come to another state than others, after " << index;
}

void Ledger::OnLogged(const Entry& entry) {
  if (entry.kind == EntryKind::kCommand) ++history_->At(OperationOf(*entry.payload)).attempts;
}

Effect Ledger::Execute(const Entry& entry) {
  OperationRecord& record = history_->At(OperationOf(*entry.payload));
  CHECK_EQ(record.command_digest, Mix(0, *entry.payload)) << "a command was changed on its way";
  CHECK_EQ(record.applied_at, LogIndex())
      << "operation " << record.operation.id << " is applied a second time, at " << entry.index;
  CHECK(record.told != Told::kNotApplied)
      << "operation " << record.operation.id << " is applied at " << entry.index
      << ", but its client was told that it never will be";
  record.applied_at = entry.index;
  record.applied_first = loop_->now();
  if (record.attempts > 1) coverage_->Reached(Path::kSecondAttemptApplied);
  if (record.told == Told::kUnknown) coverage_->Reached(Path::kUnknownWasApplied);
  const bool locked = model_.Holds(record.operation.fence);
  const OnceModel::Applied written = once_.Apply(record.operation, entry.term, &model_);
  NoteVerdict(written.verdict, locked);
  const StateModel::Applied& applied = written.state;
  NoteChanges(entry.index, applied.keys);
  NoteLeases(record.operation, entry.term, applied);
  return applied.effect;
}

void Ledger::NoteChanges(LogIndex index, const std::vector<KeyId>& keys) {
  if (keys.empty()) return;
  for (const KeyId key : keys) {
    const Value value = model_.At(key).value;
    versions_[key.value()].push_back({index, model_.revision(), value});
    changes_.push_back({key, value, model_.LeaseOf(key)});
  }
  change_ends_.push_back(changes_.size());
  CHECK_EQ(model_.revision(), StateModel().revision() + static_cast<int64_t>(change_ends_.size()));
}

void Ledger::NoteVerdict(OnceModel::Verdict verdict, bool locked) {
  switch (verdict) {
    case OnceModel::Verdict::kUnnamed:
      return;
    case OnceModel::Verdict::kDecided:
      if (!locked) coverage_->Reached(Path::kFencedOff);
      return;
    case OnceModel::Verdict::kRepeated:
      return coverage_->Reached(Path::kOnceRepeated);
    case OnceModel::Verdict::kForgotten:
      return coverage_->Reached(Path::kOnceForgotten);
    case OnceModel::Verdict::kNoSession:
      return coverage_->Reached(Path::kOnceWithoutSession);
  }
}

void Ledger::NoteLeases(const Operation& operation, Term term, const StateModel::Applied& applied) {
  const bool by_clock = operation.leader_term != Term();
  if (by_clock && operation.leader_term != term) coverage_->Reached(Path::kLeaderOutOfDate);
  if (operation.kind == OperationKind::kCheckpoint) coverage_->Reached(Path::kLeaseCheckpointed);
  if (!applied.effect.changed) return;
  if (operation.kind == OperationKind::kCompact) {
    compactions_.insert(operation.revision);
    coverage_->Reached(Path::kCompacted);
  } else if (operation.kind == OperationKind::kGrant) {
    leases_.OnGranted(operation.lease, operation.ttl_seconds, loop_->now());
  } else if (operation.kind == OperationKind::kRevoke) {
    leases_.OnRevoked(operation.lease,
                      by_clock ? LeaseBook::WantedBy::kClock : LeaseBook::WantedBy::kClient,
                      loop_->now());
    if (by_clock) coverage_->Reached(Path::kLeaseExpired);
    if (applied.keys.size() > 1) coverage_->Reached(Path::kLeaseTookKeysAlong);
  }
}

void Ledger::NoteMembership(const Entry& entry) {
  absl::StatusOr<Membership> membership = DecodeMembership(*entry.payload);
  CHECK(membership.ok()) << "entry " << entry.index;
  const bool joint = membership->IsJoint();
  const MembershipHistory::Item& before = memberships_.latest();
  if (before.membership.IsJoint()) {
    CHECK(*membership == before.membership.Target()) << "entry " << entry.index;
    if (TermAt(before.index) != entry.term) coverage_->Reached(Path::kJointLeftByAnother);
  } else {
    CHECK(joint || membership->voters == before.membership.voters)
        << "the voters change at entry " << entry.index << " at one blow";
  }
  if (joint) {
    CHECK(membership->outgoing == before.membership.voters) << "entry " << entry.index;
    coverage_->Reached(Path::kJointConfiguration);
  }
  memberships_.Append({entry.index, entry.request, *std::move(membership)});
}

bool Ledger::WasEverMember(NodeId node) const {
  const std::vector<MembershipHistory::Item>& items = memberships_.items();
  return std::any_of(items.begin(), items.end(), [node](const MembershipHistory::Item& item) {
    return item.membership.IsLasting(node);
  });
}

std::span<const Ledger::Change> Ledger::ChangesAt(int64_t revision) const {
  const int64_t place = revision - StateModel().revision() - 1;
  CHECK(place >= 0 && place < static_cast<int64_t>(change_ends_.size()))
      << "revision " << revision << " of " << model_.revision();
  const size_t begin = place == 0 ? 0 : change_ends_[static_cast<size_t>(place) - 1];
  const size_t end = change_ends_[static_cast<size_t>(place)];
  return std::span(changes_).subspan(begin, end - begin);
}

int64_t Ledger::RevisionAt(LogIndex index) const {
  return index == LogIndex() ? StateModel().revision() : EntryAt(index).revision;
}

int64_t Ledger::CompactedAt(LogIndex index) const {
  return index == LogIndex() ? StateModel().compacted() : EntryAt(index).compacted;
}

Value Ledger::ValueAt(KeyId key, LogIndex index) const {
  const std::vector<Version>& versions = versions_[key.value()];
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), index,
                       [](LogIndex i, const Version& version) { return i < version.since; });
  return after == versions.begin() ? kAbsent : std::prev(after)->value;
}

Value Ledger::ValueAtRevision(KeyId key, int64_t revision) const {
  const std::vector<Version>& versions = versions_[key.value()];
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), revision,
                       [](int64_t r, const Version& version) { return r < version.revision; });
  return after == versions.begin() ? kAbsent : std::prev(after)->value;
}

}  // namespace pontoon::sim
