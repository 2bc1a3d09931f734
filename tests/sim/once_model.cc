#include "tests/sim/once_model.h"

#include <algorithm>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::sim {

OnceModel::Applied OnceModel::Apply(const Operation& operation, Term term, StateModel* state) {
  if (operation.name.session != kNoLease) return ApplyNamed(operation, term, state);
  Applied applied{state->Apply(operation, term), Verdict::kUnnamed};
  if (operation.kind == OperationKind::kRevoke && applied.state.effect.changed) {
    sessions_.erase(operation.lease);
  }
  return applied;
}

OnceModel::Applied OnceModel::ApplyNamed(const Operation& operation, Term term, StateModel* state) {
  const WriteName& name = operation.name;
  if (!state->leases().contains(name.session)) return {{kNoEffect, {}}, Verdict::kNoSession};
  Session& session = sessions_[name.session];
  session.forgotten_below = std::max(session.forgotten_below, name.answered_below);
  session.decisions.erase(session.decisions.begin(),
                          session.decisions.lower_bound(session.forgotten_below));
  const auto known = session.decisions.find(name.sequence);
  if (known != session.decisions.end()) return {{known->second, {}}, Verdict::kRepeated};
  if (name.sequence < session.forgotten_below) return {{kNoEffect, {}}, Verdict::kForgotten};

  Applied applied{state->Apply(operation, term), Verdict::kDecided};
  session.decisions.emplace(name.sequence, applied.state.effect);
  if (!applied.state.keys.empty()) {
    CHECK(changed_.insert(name.original).second)
        << "a copy of operation " << name.original << " took effect again";
  }
  return applied;
}

}  // namespace pontoon::sim
