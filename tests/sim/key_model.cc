#include "tests/sim/key_model.h"

#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon::sim {

Effect KeyModel::Apply(const Operation& operation) {
  CHECK_LT(operation.key.value(), kKeysMax);
  Key* const key = &At(operation.key);
  bool changed = true;
  switch (operation.kind) {
    case OperationKind::kPut:
      Put(key, operation.value);
      break;
    case OperationKind::kDelete:
      changed = key->value != kAbsent;
      if (!changed) break;
      *key = Key();
      ++revision_;
      break;
    case OperationKind::kCompareAndSet:
      changed = key->value == operation.expected;
      if (changed) Put(key, operation.value);
      break;
    case OperationKind::kRead:
      changed = false;
      break;
    case OperationKind::kCompact:
    case OperationKind::kGrant:
    case OperationKind::kRevoke:
    case OperationKind::kCheckpoint:
      CHECK(false) << "not of one key";
  }
  return {changed, revision_};
}

void KeyModel::DeleteTogether(std::span<const KeyId> keys) {
  if (keys.empty()) return;
  ++revision_;
  for (const KeyId key : keys) {
    CHECK(At(key).value != kAbsent) << "key " << key;
    At(key) = Key();
  }
}

void KeyModel::Put(Key* key, Value value) {
  ++revision_;
  if (key->value == kAbsent) key->create_revision = revision_;
  key->value = value;
  key->mod_revision = revision_;
  ++key->version;
}

std::string KeyModel::Describe() const {
  std::string text = absl::StrCat("revision ", revision_, ":");
  for (size_t i = 0; i < keys_.size(); ++i) {
    const Key& key = keys_[i];
    if (key.value == kAbsent) continue;
    absl::StrAppend(&text, " ", i, "=", key.value.value(), "(", key.create_revision, "/",
                    key.mod_revision, "/", key.version, ")");
  }
  return text;
}

}  // namespace pontoon::sim
