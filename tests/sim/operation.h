// Operation: what the clients of a simulation do, and what comes of it.

#ifndef PONTOON_TESTS_SIM_OPERATION_H_
#define PONTOON_TESTS_SIM_OPERATION_H_

#include <cstddef>
#include <cstdint>

#include "raft/base/strong_int.h"

namespace pontoon::sim {

using OperationId = StrongInt<struct OperationIdTag, uint64_t>;
using KeyId = StrongInt<struct KeyIdTag, uint32_t>;

// What a key holds. Every write brings a value of its own; 0 is "the key does not exist".
using Value = StrongInt<struct ValueTag, uint64_t>;
inline constexpr Value kAbsent{0};

inline constexpr size_t kKeysMax = 64;

enum class OperationKind : uint8_t { kPut, kDelete, kCompareAndSet, kRead };

struct Operation {
  OperationId id;
  OperationKind kind = OperationKind::kPut;
  KeyId key;
  Value value;               // of kPut and kCompareAndSet
  Value expected;            // of kCompareAndSet
  size_t padding_bytes = 0;  // of the command, for its size only
};

// What a write did.
struct Effect {
  bool changed = false;  // false: nothing to delete, or another value than was expected
  int64_t revision = 0;  // of the store, after it

  friend bool operator==(const Effect&, const Effect&) = default;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_OPERATION_H_
