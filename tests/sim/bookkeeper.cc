#include "tests/sim/bookkeeper.h"

#include <utility>
#include <variant>

#include "raft/base/check.h"
#include "tests/sim/fingerprint.h"
#include "tests/sim/machine.h"

namespace pontoon::sim {

OperationRecord& Bookkeeper::Begin(const Operation& operation) {
  OperationRecord record;
  record.operation = operation;
  record.begin = loop_->now();
  record.committed_before = ledger_->last();
  return history_->Add(std::move(record));
}

void Bookkeeper::Propose(Machine* machine, const Operation& operation, Payload command,
                         Instant deadline, raft::ProposeCallback done) {
  Begin(operation).command_digest = Mix(0, *command);
  ++open_;
  machine->node()->Propose(std::move(command), deadline,
                           [this, machine, id = operation.id,
                            done = std::move(done)](raft::ProposeOutcome outcome) mutable {
                             OnOutcome(*machine, id, outcome);
                             --open_;
                             std::move(done)(std::move(outcome));
                           });
}

void Bookkeeper::OnOutcome(const Machine& machine, OperationId id,
                           const raft::ProposeOutcome& outcome) {
  OperationRecord& record = history_->At(id);
  CHECK(record.told == Told::kNothing) << "operation " << id << " is answered twice";
  record.end = loop_->now();
  if (const auto* applied = std::get_if<raft::Applied>(&outcome)) {
    OnApplied(machine, &record, *applied);
  } else if (std::holds_alternative<raft::NotApplied>(outcome)) {
    CHECK_EQ(record.applied_at, LogIndex())
        << "operation " << id << " was applied, and its client is told that it never will be";
    record.told = Told::kNotApplied;
    coverage_->Reached(Path::kNotApplied);
  } else {
    record.told = Told::kUnknown;
    if (record.applied_at != LogIndex()) coverage_->Reached(Path::kUnknownWasApplied);
  }
  loop_->Note(Mix(id.value(), static_cast<uint64_t>(record.told)));
  if (trace_->on()) {
    static constexpr const char* kWords[] = {"?", "applied", "not applied", "unknown", "", ""};
    trace_->Say("    write ", id.value(), " at node ", machine.id().value(), ": ",
                kWords[static_cast<size_t>(record.told)], " ", record.applied_at.value());
  }
}

void Bookkeeper::OnApplied(const Machine& machine, OperationRecord* record,
                           const raft::Applied& applied) {
  record->told = Told::kApplied;
  const LogIndex index = applied.position.index;
  CHECK_EQ(record->applied_at, index)
      << "operation " << record->operation.id << " is said to be at another index";
  CHECK_EQ(ledger_->TermAt(index), applied.position.term);
  CHECK_GT(index, record->committed_before)
      << "operation " << record->operation.id << " took effect before it began";
  CHECK(applied.result != nullptr);
  const Effect effect = machine.store().EffectOf(*applied.result);
  const Effect expected = ledger_->EffectAt(index);
  CHECK(effect == expected) << "operation " << record->operation.id << " at index " << index
                            << " returned " << effect.changed << " revision " << effect.revision
                            << " instead of " << expected.changed << " revision "
                            << expected.revision;
}

}  // namespace pontoon::sim
