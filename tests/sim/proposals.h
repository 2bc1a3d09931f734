// Proposals: the writes that some users of a simulated cluster have its nodes propose.

#ifndef PONTOON_TESTS_SIM_PROPOSALS_H_
#define PONTOON_TESTS_SIM_PROPOSALS_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "raft/node/replica.h"
#include "tests/sim/clients.h"
#include "tests/sim/dice.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"
#include "tests/sim/operation.h"

namespace pontoon::sim {

// Sends what its users write to nodes, for as long as clients wait, and knows what is not answered
// yet. Each user throws dice of its own.
//
// Thread safety: none.
class Proposals {
 public:
  Proposals(const World& world, const Machines* machines, const Ledger* ledger)
      : world_(world), machines_(machines), ledger_(ledger) {}

  // Null if clients cannot connect to the one that was drawn.
  Machine* AnyMachine(Dice* dice) const;

  // An operation with the next id, which is to be sent before another one takes that.
  Operation New(OperationKind kind) const;
  // Another operation that does the same.
  Operation CopyOf(const Operation& operation) const;
  // `then` is called once, with the outcome, when the bookkeeper has checked that.
  void Send(Machine* machine, const Operation& operation, Dice* dice, raft::ProposeCallback then);
  // Of which the user wants to hear nothing.
  void Send(Machine* machine, const Operation& operation, Dice* dice);

  // Has a lease granted that no one else will have. `then` is called once, with kNoLease unless it
  // is known to be granted.
  void Grant(Machine* machine, int64_t ttl_seconds, Dice* dice, std::function<void(LeaseId)> then);

  // Those that are not answered yet.
  size_t open() const { return open_; }

 private:
  const World world_;
  const Machines* const machines_;
  const Ledger* const ledger_;
  size_t open_ = 0;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_PROPOSALS_H_
