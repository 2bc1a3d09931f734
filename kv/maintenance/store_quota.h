// StoreQuota: how large the store may grow.

#ifndef PONTOON_KV_MAINTENANCE_STORE_QUOTA_H_
#define PONTOON_KV_MAINTENANCE_STORE_QUOTA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "kv/maintenance/alarm_raiser.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.pb.h"

namespace pontoon::kv {

// The bytes that a request is taken to need, by etcd's rules (storage/quota.go). Of a transaction:
// what its larger branch does, with those of nested ones; 0 if it puts nothing.
uint64_t QuotaCost(const etcdserverpb::PutRequest& request);
uint64_t QuotaCost(const etcdserverpb::TxnRequest& request);
uint64_t QuotaCost(const etcdserverpb::LeaseGrantRequest& request);

// Each member looks at its own store before it proposes what needs space. The one whose store would
// become too large raises the alarm NOSPACE, and from then on all members refuse such commands
// until an operator has made room and clears it. Commands that are under way when the quota is
// crossed go through: it is a bound for growth, not for the last byte.
//
// Thread safety: all methods may be called from any thread.
class StoreQuota {
 public:
  static constexpr int64_t kDefaultBytes = int64_t{2} << 30;

  // Both are borrowed. `bytes` is negative for no quota.
  StoreQuota(const KvStore* store, AlarmRaiser* alarms, int64_t bytes)
      : store_(store), alarms_(alarms), bytes_(bytes) {}

  // ErrNoSpace if the store has no room for `cost`; then the alarm is on its way, too.
  absl::Status Admit(uint64_t cost);

 private:
  bool HasRoom(uint64_t cost) const;

  const KvStore* const store_;
  AlarmRaiser* const alarms_;
  const int64_t bytes_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MAINTENANCE_STORE_QUOTA_H_
