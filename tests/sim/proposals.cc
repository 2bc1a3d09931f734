#include "tests/sim/proposals.h"

#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "tests/sim/bookkeeper.h"

namespace pontoon::sim {

Machine* Proposals::AnyMachine(Dice* dice) const {
  Machine* const machine = (*machines_)[dice->Below(machines_->size())].get();
  return Serves(*machine, *ledger_) ? machine : nullptr;
}

Operation Proposals::New(OperationKind kind) const {
  Operation operation;
  operation.kind = kind;
  return CopyOf(operation);
}

Operation Proposals::CopyOf(const Operation& operation) const {
  Operation copy = operation;
  copy.id = world_.bookkeeper->NextId();
  return copy;
}

void Proposals::Send(Machine* machine, const Operation& operation, Dice* dice,
                     raft::ProposeCallback then) {
  const ClientOptions& client = world_.options->client;
  const absl::Duration timeout = dice->Between(client.deadline_least, client.deadline_most);
  ++open_;
  world_.bookkeeper->Propose(machine, operation, machine->store().Encode(operation),
                             machine->Now() + timeout,
                             [this, then = std::move(then)](raft::ProposeOutcome outcome) mutable {
                               --open_;
                               std::move(then)(std::move(outcome));
                             });
}

void Proposals::Send(Machine* machine, const Operation& operation, Dice* dice) {
  Send(machine, operation, dice, [](const raft::ProposeOutcome&) {});
}

void Proposals::Grant(Machine* machine, int64_t ttl_seconds, Dice* dice,
                      std::function<void(LeaseId)> then) {
  Operation grant = New(OperationKind::kGrant);
  grant.lease = LeaseId(static_cast<int64_t>(grant.id.value()));
  grant.ttl_seconds = ttl_seconds;
  Send(machine, grant, dice,
       [lease = grant.lease, then = std::move(then)](const raft::ProposeOutcome& outcome) {
         then(std::holds_alternative<raft::Applied>(outcome) ? lease : kNoLease);
       });
}

}  // namespace pontoon::sim
