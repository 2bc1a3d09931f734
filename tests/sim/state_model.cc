#include "tests/sim/state_model.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pontoon::sim {
namespace {

// Whether a leader of another term than that of the entry wanted it.
bool IsOfFormerLeader(const Operation& operation, Term term) {
  return operation.leader_term != Term() && operation.leader_term != term;
}

}  // namespace

StateModel::Applied StateModel::Apply(const Operation& operation, Term term) {
  if (!Holds(operation.fence)) return {kNoEffect, {}};
  switch (operation.kind) {
    case OperationKind::kPut:
      if (operation.lease != kNoLease && !leases_.contains(operation.lease)) break;
      return ApplyToKey(operation);
    case OperationKind::kDelete:
    case OperationKind::kCompareAndSet:
    case OperationKind::kRead:
      return ApplyToKey(operation);
    case OperationKind::kCompact:
      return Compact(operation.revision);
    case OperationKind::kGrant:
      return Grant(operation);
    case OperationKind::kRevoke:
      if (IsOfFormerLeader(operation, term)) break;
      return Revoke(operation.lease);
    case OperationKind::kCheckpoint:
      if (IsOfFormerLeader(operation, term)) break;
      for (const LeaseCheckpoint& checkpoint : operation.checkpoints) Checkpoint(checkpoint);
      break;
  }
  return {kNoEffect, {}};
}

bool StateModel::Holds(const Fence& fence) const {
  return fence.create_revision == 0 || At(fence.key).create_revision == fence.create_revision;
}

StateModel::Applied StateModel::ApplyToKey(const Operation& operation) {
  const Effect effect = keys_.Apply(operation);
  if (!effect.changed) return {effect, {}};
  Attach(operation.key, operation.kind == OperationKind::kPut ? operation.lease : kNoLease);
  return {effect, {operation.key}};
}

StateModel::Applied StateModel::Compact(int64_t revision) {
  if (revision <= compacted_ || revision > keys_.revision()) return {kNoEffect, {}};
  compacted_ = revision;
  return {{.changed = true, .revision = keys_.revision()}, {}};
}

StateModel::Applied StateModel::Grant(const Operation& operation) {
  const Lease lease{.ttl_seconds = operation.ttl_seconds};
  if (!leases_.emplace(operation.lease, lease).second) return {kNoEffect, {}};
  return {{.changed = true, .revision = keys_.revision()}, {}};
}

StateModel::Applied StateModel::Revoke(LeaseId lease) {
  if (leases_.erase(lease) == 0) return {kNoEffect, {}};
  Applied applied;
  for (uint32_t key = 0; key < kKeysMax; ++key) {
    if (lease_of_key_[key] != lease) continue;
    applied.keys.push_back(KeyId(key));
    Attach(KeyId(key), kNoLease);
  }
  keys_.DeleteTogether(applied.keys);
  applied.effect = {.changed = true, .revision = keys_.revision()};
  return applied;
}

void StateModel::Checkpoint(const LeaseCheckpoint& checkpoint) {
  const auto lease = leases_.find(checkpoint.lease);
  if (lease != leases_.end()) lease->second.remaining_seconds = checkpoint.remaining_seconds;
}

std::string StateModel::Describe() const {
  std::string text = absl::StrCat(keys_.Describe(), "; compacted to ", compacted_, "; leases:");
  for (const auto& [id, lease] : leases_) {
    absl::StrAppend(&text, " ", id.value(), "=", lease.remaining_seconds, "/", lease.ttl_seconds,
                    "(");
    for (uint32_t key = 0; key < kKeysMax; ++key) {
      if (lease_of_key_[key] == id) absl::StrAppend(&text, " ", key);
    }
    absl::StrAppend(&text, " )");
  }
  return text;
}

}  // namespace pontoon::sim
