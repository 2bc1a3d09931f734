// Whether a history of one register is linearizable.
//
// The algorithm is that of Wing and Gong ("Testing and verifying concurrent objects", JPDC 1993)
// with Lowe's memory of configurations already seen ("Testing for linearizability", CCPE 2017). A
// history of several keys is linearizable if that of each key is (Herlihy and Wing), so each key is
// checked alone.

#ifndef PONTOON_TESTS_SIM_LINEARIZABILITY_H_
#define PONTOON_TESTS_SIM_LINEARIZABILITY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "tests/sim/operation.h"

namespace pontoon::sim {

// A call on a register.
struct RegisterCall {
  OperationKind kind = OperationKind::kRead;
  Value value;     // written; or what a read returned
  Value expected;  // of kCompareAndSet
  // What a kDelete or a kCompareAndSet told of its success; nullopt if nobody was told.
  std::optional<bool> changed;

  // On one clock. A call that was never answered ends with kNever: it may have taken effect at any
  // time after its begin, or not at all.
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  int64_t begin = 0;
  int64_t end = kNever;
};

enum class Verdict {
  kLinearizable,
  kNotLinearizable,
  kGaveUp,  // after `steps_max` steps; nothing is known
};

struct RegisterCheck {
  Value initial = kAbsent;
  uint64_t steps_max = 20000000;
};
Verdict CheckRegister(const std::vector<RegisterCall>& calls, const RegisterCheck& check = {});

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_LINEARIZABILITY_H_
