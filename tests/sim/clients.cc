#include "tests/sim/clients.h"

#include <utility>

#include "raft/base/check.h"
#include "tests/sim/bookkeeper.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

constexpr absl::Duration kSlowThinkMost = absl::Seconds(4);

}  // namespace

bool Serves(const Machine& machine, const Ledger& ledger) {
  return machine.up() && ledger.memberships().latest().membership.IsLasting(machine.id());
}

Clients::Clients(const World& world, Machines* machines, History* history, Ledger* ledger)
    : options_(world.options->client),
      world_(world),
      machines_(machines),
      history_(history),
      ledger_(ledger),
      dice_(Mix(world.options->seed, "clients")),
      clients_(options_.clients) {}

void Clients::Start() {
  for (size_t client = 0; client < clients_.size(); ++client) {
    clients_[client].machine = dice_.Below(machines_->size());
    Think(client);
  }
}

void Clients::Think(size_t client) {
  const bool slow = history_->records().size() > options_.operations_most;
  const absl::Duration most = slow ? kSlowThinkMost + options_.think_most : options_.think_most;
  world_.loop->After(dice_.Skewed(absl::Microseconds(1), most), [this, client] {
    if (!stopped_) Act(client);
  });
}

void Clients::Act(size_t client) {
  Client& self = clients_[client];
  Machine* const machine = (*machines_)[self.machine].get();
  const Operation operation = Draw();
  const absl::Duration timeout = dice_.Between(options_.deadline_least, options_.deadline_most);
  const OperationId id = operation.id;
  const auto then = [this, client, id] {
    const Told told = history_->At(id).told;
    if (told != Told::kApplied && told != Told::kRead) {
      clients_[client].machine = dice_.Below(machines_->size());
    }
    Think(client);
  };
  if (!Serves(*machine, *ledger_)) {  // the connection is refused
    self.machine = dice_.Below(machines_->size());
    Think(client);
  } else if (operation.kind == OperationKind::kRead) {
    const bool by_lease = operation.id.value() % 2 == 0;
    Begin(machine, operation, by_lease ? raft::ReadMode::kLease : raft::ReadMode::kQuorum, timeout,
          then);
  } else {
    Write(machine, operation, timeout, then);
  }
}

Operation Clients::Draw() {
  Operation operation;
  operation.id = history_->NextId();
  operation.key = KeyId(static_cast<uint32_t>(dice_.Below(options_.keys)));
  operation.value = Value(operation.id.value());
  operation.padding_bytes = dice_.Below(options_.padding_most + 1);
  const uint64_t roll = only_reads_ ? 0 : dice_.Below(100);
  if (roll < options_.read_percent) {
    operation.kind = OperationKind::kRead;
  } else if (roll < options_.read_percent + options_.delete_percent) {
    operation.kind = OperationKind::kDelete;
  } else if (dice_.Percent(options_.compare_percent)) {
    operation.kind = OperationKind::kCompareAndSet;
    // Mostly a good guess.
    operation.expected = dice_.OneIn(4) ? kAbsent : ledger_->model().At(operation.key).value;
  } else {
    operation.kind = OperationKind::kPut;
  }
  return operation;
}

void Clients::Write(Machine* machine, const Operation& operation, absl::Duration timeout,
                    std::function<void()> then) {
  ++open_;
  world_.bookkeeper->Propose(machine, operation, machine->store().Encode(operation),
                             machine->Now() + timeout,
                             [this, then = std::move(then)](const raft::ProposeOutcome&) {
                               --open_;
                               then();
                             });
}

void Clients::Begin(Machine* machine, const Operation& read, raft::ReadMode mode,
                    absl::Duration timeout, std::function<void()> then) {
  ++open_;
  world_.bookkeeper->Begin(read);
  machine->node()->ReadBarrier(
      mode, machine->Now() + timeout,
      [this, machine, id = read.id, then = std::move(then)](const absl::Status& status) {
        OnReadable(machine, id, status);
        then();
      });
}

void Clients::Read(Machine* machine, raft::ReadMode mode, absl::Duration timeout,
                   std::function<void()> then) {
  Operation operation = Draw();
  operation.kind = OperationKind::kRead;
  Begin(machine, operation, mode, timeout, std::move(then));
}

void Clients::OnReadable(Machine* machine, OperationId id, const absl::Status& status) {
  OperationRecord& record = history_->At(id);
  CHECK(record.told == Told::kNothing) << "operation " << id << " is answered twice";
  --open_;
  record.end = world_.loop->now();
  record.told = status.ok() ? Told::kRead : Told::kReadFailed;
  world_.loop->Note(Mix(id.value(), static_cast<uint64_t>(record.told)));
  if (!status.ok()) return;
  const SimStore::ReadResult result = machine->store().Read(record.operation.key);
  record.value = result.value;
  CHECK_GE(result.applied, record.committed_before)
      << "the read " << id << " at node " << machine->id() << " is stale: it shows the state after "
      << "index " << result.applied << ", and more was applied before it began";
  CHECK_EQ(result.value, ledger_->ValueAt(record.operation.key, result.applied))
      << "the read " << id << " at index " << result.applied;
  const bool leads = machine->node()->Status().role == raft::Role::kLeader;
  world_.coverage->Reached(leads ? Path::kReadOnLeader : Path::kReadOnFollower);
  world_.trace->Say("    read ", id.value(), " at node ", machine->id().value(), " of key ",
                    record.operation.key.value(), ": ", result.value.value(), " at index ",
                    result.applied.value());
}

void Clients::Probe(Machine* machine, absl::Duration timeout, std::function<void(Told)> done) {
  Operation operation = Draw();
  operation.kind = OperationKind::kPut;
  Write(machine, operation, timeout,
        [this, id = operation.id, done = std::move(done)] { done(history_->At(id).told); });
}

}  // namespace pontoon::sim
