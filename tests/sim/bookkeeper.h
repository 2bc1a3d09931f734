// Bookkeeper: writes down what is asked of the nodes, and checks what they answer.

#ifndef PONTOON_TESTS_SIM_BOOKKEEPER_H_
#define PONTOON_TESTS_SIM_BOOKKEEPER_H_

#include <cstddef>

#include "raft/base/types.h"
#include "raft/node/replica.h"
#include "tests/sim/coverage.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/history.h"
#include "tests/sim/ledger.h"
#include "tests/sim/operation.h"
#include "tests/sim/trace.h"

namespace pontoon::sim {

class Machine;

// Whatever is proposed to a node is an operation in the history, whoever wants it: a client, or
// what a member does by itself. The outcome is held against the ledger at once:
//
//   - a write returned what the log says that it must, and its index lies behind everything that
//     had been applied anywhere when it began;
//   - a write that is given back as not applied has not been, and (Ledger) never will be.
//
// Thread safety: none.
class Bookkeeper {
 public:
  Bookkeeper(EventLoop* loop, History* history, Ledger* ledger, Coverage* coverage,
             const Trace* trace)
      : loop_(loop), history_(history), ledger_(ledger), coverage_(coverage), trace_(trace) {}

  OperationId NextId() const { return history_->NextId(); }
  // An operation begins. Its id is the next one.
  OperationRecord& Begin(const Operation& operation);
  // Gives `command`, which does `operation`, to the node of `machine`. `done` gets the outcome when
  // it has been checked.
  void Propose(Machine* machine, const Operation& operation, Payload command, Instant deadline,
               raft::ProposeCallback done);
  // Proposals that have no outcome yet.
  size_t open() const { return open_; }

 private:
  void OnOutcome(const Machine& machine, OperationId id, const raft::ProposeOutcome& outcome);
  void OnApplied(const Machine& machine, OperationRecord* record, const raft::Applied& applied);

  EventLoop* const loop_;
  History* const history_;
  Ledger* const ledger_;
  Coverage* const coverage_;
  const Trace* const trace_;
  size_t open_ = 0;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_BOOKKEEPER_H_
