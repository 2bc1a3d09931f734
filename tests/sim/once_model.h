// OnceModel: what becomes of writes that name themselves, in the simplest words.

#ifndef PONTOON_TESTS_SIM_ONCE_MODEL_H_
#define PONTOON_TESTS_SIM_ONCE_MODEL_H_

#include <cstdint>
#include <map>
#include <set>

#include "raft/base/types.h"
#include "tests/sim/operation.h"
#include "tests/sim/state_model.h"

namespace pontoon::sim {

// Stands before the model of the state, and lets through what is new. Checks on the way that no
// write changes anything twice, whatever the rules for its copies make of them.
//
// Thread safety: none.
class OnceModel {
 public:
  // What became of a copy.
  enum class Verdict { kUnnamed, kDecided, kRepeated, kForgotten, kNoSession };

  struct Applied {
    StateModel::Applied state;
    Verdict verdict = Verdict::kUnnamed;
  };
  // Of an entry of `term`; changes `state`.
  Applied Apply(const Operation& operation, Term term, StateModel* state);

 private:
  struct Session {
    uint64_t forgotten_below = 1;
    std::map<uint64_t, Effect> decisions;
  };

  Applied ApplyNamed(const Operation& operation, Term term, StateModel* state);

  std::map<LeaseId, Session> sessions_;
  std::set<OperationId> changed_;  // something; by the first copy
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_ONCE_MODEL_H_
