// Operation: what the clients of a simulation do, and what comes of it.

#ifndef PONTOON_TESTS_SIM_OPERATION_H_
#define PONTOON_TESTS_SIM_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kv/store/revision.h"
#include "raft/base/strong_int.h"
#include "raft/base/types.h"

namespace pontoon::sim {

using kv::kNoLease;
using kv::LeaseId;

using OperationId = StrongInt<struct OperationIdTag, uint64_t>;
using KeyId = StrongInt<struct KeyIdTag, uint32_t>;

// What a key holds. Every write brings a value of its own; 0 is "the key does not exist".
using Value = StrongInt<struct ValueTag, uint64_t>;
inline constexpr Value kAbsent{0};

inline constexpr size_t kKeysMax = 64;
// From this key on keys may hang on leases. All others are registers: a history of such a key is
// nothing but the operations on it.
inline constexpr KeyId kLeaseKeysBegin{32};

enum class OperationKind : uint8_t {
  kPut,
  kDelete,
  kCompareAndSet,
  kRead,
  // Only for the real store.
  kCompact,
  kGrant,
  kRevoke,
  kCheckpoint,
};

// How much of a lease is left; 0: all of it, from now on.
struct LeaseCheckpoint {
  LeaseId lease;
  int64_t remaining_seconds = 0;
};

// By what copies of a write are known as such. See proto/pontoon.proto, Once.
struct WriteName {
  LeaseId session;  // kNoLease: the write has no name
  uint64_t sequence = 0;
  uint64_t answered_below = 0;
  OperationId original;  // the copy that was sent first
};

// A lock that must be held for a write to have an effect.
struct Fence {
  KeyId key;
  int64_t create_revision = 0;  // 0: there is no fence
};

struct Operation {
  OperationId id;
  OperationKind kind = OperationKind::kPut;
  KeyId key;
  Value value;               // of kPut and kCompareAndSet
  Value expected;            // of kCompareAndSet
  size_t padding_bytes = 0;  // of the command, for its size only

  int64_t revision = 0;     // of kCompact
  LeaseId lease;            // of kGrant and kRevoke; of kPut: that the key shall hang on
  int64_t ttl_seconds = 0;  // of kGrant
  // Of kRevoke and kCheckpoint: of the leader whose clock wants it, and without effect in another
  // term. 0: a client wants it.
  Term leader_term;
  std::vector<LeaseCheckpoint> checkpoints;  // of kCheckpoint

  // Of kPut, kDelete and kCompareAndSet, for the real store.
  WriteName name;
  Fence fence;
};

// What a write did.
struct Effect {
  bool changed = false;  // false: nothing to delete, or another value than was expected
  int64_t revision = 0;  // of the store, after it; 0: nobody is told

  friend bool operator==(const Effect&, const Effect&) = default;
};

// Of a write that was refused, or whose result says nothing.
inline constexpr Effect kNoEffect{.changed = false, .revision = 0};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_OPERATION_H_
