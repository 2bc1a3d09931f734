// LeaseTable: the leases that a leader keeps time for.

#ifndef PONTOON_KV_LEASE_LEASE_TABLE_H_
#define PONTOON_KV_LEASE_LEASE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "kv/store/revision.h"
#include "raft/base/instant.h"

namespace pontoon::kv {

// One lease on the leader's clock.
struct TimedLease {
  LeaseId id;
  Instant expiry;
  // When somebody has to look at the lease: its place in the table's order.
  Instant due;
  int64_t granted_ttl_seconds : 40 = 0;
  // The store has a checkpoint of it, which a renewal has to clear.
  bool has_checkpoint : 1 = false;
  // It is being revoked, or that cannot be ruled out: nobody may renew it.
  bool is_revoking : 1 = false;
  uint32_t place = 0;  // the table's own
};

// Leases by their ids, and in the order in which they are due. A renewal moves nothing: the lease
// is found not to be expired when it is due, and gets a later place then. So the table holds
// nothing of leases that are gone, and a million of them take about 60 MB.
//
// The order is a heap of numbers of slots (Williams 1964), and each slot knows its place in it.
//
// Thread safety: none.
class LeaseTable {
 public:
  LeaseTable();
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  size_t size() const { return heap_.size(); }

  // Pointers to a lease hold until it is erased. Null if there is none.
  TimedLease* Find(LeaseId id);
  // Adds a lease that is not there, due at `due`.
  TimedLease* Insert(LeaseId id, Instant due);
  void Erase(TimedLease* lease);
  void Clear();

  // The lease that is due first; null if there is none.
  TimedLease* First();
  void SetDue(TimedLease* lease, Instant due);

  // What the table has allocated.
  size_t AllocatedBytes() const;

 private:
  using Slot = uint32_t;

  // The index holds the numbers of slots, and looks for them by the ids of their leases.
  struct HashOfId {
    using is_transparent = void;
    const std::deque<TimedLease>* slots;
    size_t operator()(LeaseId id) const;
    size_t operator()(Slot slot) const { return (*this)((*slots)[slot].id); }
  };
  struct SameId {
    using is_transparent = void;
    const std::deque<TimedLease>* slots;
    bool operator()(Slot a, Slot b) const { return a == b; }
    bool operator()(Slot a, LeaseId id) const { return (*slots)[a].id == id; }
    bool operator()(LeaseId id, Slot a) const { return (*slots)[a].id == id; }
  };

  bool IsDueBefore(Slot a, Slot b) const { return slots_[a].due < slots_[b].due; }
  void PutAt(size_t place, Slot slot);
  void MoveUp(size_t place);
  void MoveDown(size_t place);

  std::deque<TimedLease> slots_;
  std::vector<Slot> free_slots_;
  std::vector<Slot> heap_;
  absl::flat_hash_set<Slot, HashOfId, SameId> index_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LEASE_LEASE_TABLE_H_
