// Leases, and which keys hang on them, as records of the store.
//
// The store knows which leases exist and for how long they were granted; when one ends is decided
// by the leader's clock (kv/lease), and becomes a command like any other.

#ifndef PONTOON_KV_STORE_LEASE_RECORDS_H_
#define PONTOON_KV_STORE_LEASE_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/store/kv_transaction.h"
#include "kv/store/record_reader.h"
#include "kv/store/revision.h"
#include "kv/store/write_overlay.h"

namespace pontoon::kv {

// As in etcd: the longest that a lease is granted for, about 285 years.
inline constexpr int64_t kLeaseTtlSecondsMax = 9'000'000'000;

struct LeaseState {
  int64_t granted_ttl_seconds = 0;
  // Of that, what was left at the last checkpoint; 0: there was none since the last renewal.
  int64_t remaining_ttl_seconds = 0;

  friend bool operator==(const LeaseState&, const LeaseState&) = default;
};

// What a command did to a lease.
struct LeaseChange {
  enum class Kind : uint8_t { kGranted, kCheckpointed, kRevoked };

  Kind kind = Kind::kGranted;
  LeaseId lease;
  LeaseState state;  // from then on; nothing of use once it is revoked

  friend bool operator==(const LeaseChange&, const LeaseChange&) = default;
};

// Nothing if there is no such lease. DATA_LOSS if its record is damaged.
absl::StatusOr<std::optional<LeaseState>> ReadLease(const RecordReader& records, LeaseId lease);

// Calls `visit` with every lease, in the order of their ids as unsigned numbers.
absl::Status ForEachLease(const RecordReader& records,
                          absl::FunctionRef<void(LeaseId lease, const LeaseState& state)> visit);

// Calls `visit` with every key that hangs on `lease`, in order. The view holds during the call.
absl::Status ForEachAttachedKey(const RecordReader& records, LeaseId lease,
                                absl::FunctionRef<void(std::string_view key)> visit);

// For whoever applies commands.

void PutLease(LeaseId lease, const LeaseState& state, WriteOverlay* overlay);

// Removes a lease, and deletes the keys that hang on it, in order, as one transaction. An error:
// the storage failed.
absl::Status RemoveLease(LeaseId lease, WriteOverlay* overlay, KvTransaction* transaction);

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_LEASE_RECORDS_H_
