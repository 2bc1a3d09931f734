// LeaseGranter: makes leases.

#ifndef PONTOON_KV_LEASE_LEASE_GRANTER_H_
#define PONTOON_KV_LEASE_LEASE_GRANTER_H_

#include <cstdint>
#include <mutex>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kv/maintenance/store_quota.h"
#include "kv/service/member.h"
#include "proto/rpc.pb.h"
#include "raft/base/instant.h"
#include "raft/base/prng.h"

namespace pontoon::kv {

// Every member proposes what it grants; what the id and the TTL are is decided before.
//
// Thread safety: all methods may be called from any thread.
class LeaseGranter {
 public:
  struct Options {
    // A lease must live on while a leader is elected; see TtlMin.
    absl::Duration election_timeout = absl::Seconds(1);
    StoreQuota* quota = nullptr;  // borrowed; null: none
    uint64_t seed = 0;  // of the ids that it chooses: another one in each life of a process
  };
  using Callback = absl::AnyInvocable<void(absl::StatusOr<etcdserverpb::LeaseGrantResponse>) &&>;

  // Borrows `member`.
  LeaseGranter(const Member* member, const Options& options);

  // Proposes a lease with the id that is wanted, or for 0 with one that is not in use, and a TTL of
  // at least TtlMin. Calls `done` once, perhaps before Grant has returned: it must not block. The
  // errors of a proposal; ErrLeaseTTLTooLarge, ErrLeaseExist, ErrNoSpace.
  void Grant(const etcdserverpb::LeaseGrantRequest& request, Instant deadline, Callback done);

  // In seconds, as in etcd: one and a half election timeouts, rounded up.
  int64_t TtlMin() const;

 private:
  struct Attempt;

  // A positive number.
  int64_t ChooseId();
  void Propose(Attempt attempt);

  const Member* const member_;
  const Options options_;
  std::mutex mutex_;
  Prng prng_;  // guarded by mutex_
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LEASE_GRANTER_H_
