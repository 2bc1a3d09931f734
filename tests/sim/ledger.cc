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
  const Effect effect = entry.kind == EntryKind::kCommand
                            ? Execute(entry)
                            : Effect{.changed = false, .revision = model_.revision()};
  entries_.push_back({entry.term, newest, digest, effect});
  return News::kFirst;
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
  const Effect effect = model_.Apply(record.operation);
  if (effect.changed) {
    const KeyId key = record.operation.key;
    versions_[key.value()].push_back({entry.index, model_.At(key).value});
    changes_.push_back({key, model_.At(key).value});
    CHECK_EQ(effect.revision, KeyModel().revision() + static_cast<int64_t>(changes_.size()));
  }
  return effect;
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

const Ledger::Change& Ledger::ChangeAt(int64_t revision) const {
  const int64_t place = revision - KeyModel().revision() - 1;
  CHECK(place >= 0 && place < static_cast<int64_t>(changes_.size()))
      << "revision " << revision << " of " << model_.revision();
  return changes_[static_cast<size_t>(place)];
}

Value Ledger::ValueAt(KeyId key, LogIndex index) const {
  const std::vector<Version>& versions = versions_[key.value()];
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), index,
                       [](LogIndex i, const Version& version) { return i < version.since; });
  return after == versions.begin() ? kAbsent : std::prev(after)->value;
}

}  // namespace pontoon::sim
