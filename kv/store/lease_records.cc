#include "kv/store/lease_records.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/store/layout.h"

namespace pontoon::kv {
namespace {

absl::Status Damaged(LeaseId lease) {
  return absl::DataLossError(absl::StrCat("damaged record of lease ", lease.value()));
}

std::string EncodeLease(const LeaseState& state) {
  std::string bytes;
  AppendVarint(static_cast<uint64_t>(state.granted_ttl_seconds), &bytes);
  AppendVarint(static_cast<uint64_t>(state.remaining_ttl_seconds), &bytes);
  return bytes;
}

std::optional<LeaseState> DecodeLease(std::string_view bytes) {
  uint64_t granted = 0, remaining = 0;
  if (!TakeVarint(&bytes, &granted) || !TakeVarint(&bytes, &remaining) || !bytes.empty()) {
    return std::nullopt;
  }
  return LeaseState{static_cast<int64_t>(granted), static_cast<int64_t>(remaining)};
}

}  // namespace

absl::StatusOr<std::optional<LeaseState>> ReadLease(const RecordReader& records, LeaseId lease) {
  std::string bytes;
  const absl::StatusOr<bool> found = records.Get(LeaseKey(lease), &bytes);
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  const std::optional<LeaseState> state = DecodeLease(bytes);
  if (!state.has_value()) return Damaged(lease);
  return state;
}

absl::Status ForEachLease(const RecordReader& records,
                          absl::FunctionRef<void(LeaseId, const LeaseState&)> visit) {
  const std::unique_ptr<RecordIterator> record = records.NewIterator();
  for (record->Seek(std::string(1, kLeasePrefix));
       record->Valid() && record->key().front() == kLeasePrefix; record->Next()) {
    const std::optional<LeaseId> lease = ParseLeaseKey(record->key());
    if (!lease.has_value()) return absl::DataLossError("damaged key of a lease's record");
    const std::optional<LeaseState> state = DecodeLease(record->value());
    if (!state.has_value()) return Damaged(*lease);
    visit(*lease, *state);
  }
  return record->status();
}

absl::Status ForEachAttachedKey(const RecordReader& records, LeaseId lease,
                                absl::FunctionRef<void(std::string_view key)> visit) {
  const std::string prefix = AttachmentKey(lease, "");
  const std::unique_ptr<RecordIterator> record = records.NewIterator();
  for (record->Seek(prefix); record->Valid() && record->key().starts_with(prefix); record->Next()) {
    visit(record->key().substr(prefix.size()));
  }
  return record->status();
}

void PutLease(LeaseId lease, const LeaseState& state, WriteOverlay* overlay) {
  overlay->Put(LeaseKey(lease), EncodeLease(state));
}

absl::Status RemoveLease(LeaseId lease, WriteOverlay* overlay, KvTransaction* transaction) {
  std::vector<std::string> keys;  // a walk does not survive a change
  const absl::Status listed = ForEachAttachedKey(
      *overlay, lease, [&keys](std::string_view key) { keys.emplace_back(key); });
  if (!listed.ok()) return listed;
  for (const std::string& key : keys) transaction->Delete(key, lease);
  overlay->Delete(LeaseKey(lease));
  return absl::OkStatus();
}

}  // namespace pontoon::kv
