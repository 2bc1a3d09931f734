#include "tests/sim/readers.h"

#include <algorithm>
#include <variant>

#include "kv/store/kv_store.h"
#include "raft/base/check.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

using kv::Consistency;

constexpr size_t kSessions = 3;
constexpr absl::Duration kReadEveryMost = absl::Milliseconds(300);
constexpr absl::Duration kStalenessMost = absl::Seconds(3);
// The first of the keys that they write, one for each.
constexpr KeyId kOwnKey{60};
static_assert(kOwnKey.value() + kSessions <= kKeysMax);
// What is asked for of the future.
constexpr uint64_t kAheadMost = 3;

}  // namespace

Readers::Readers(const World& world, Machines* machines, const Ledger* ledger)
    : world_(world),
      ledger_(ledger),
      proposals_(world, machines, ledger),
      dice_(Mix(world.options->seed, "readers")),
      sessions_(kSessions) {}

void Readers::Start() {
  if (!world_.options->level_db) return;
  for (size_t session = 0; session < sessions_.size(); ++session) ReadLater(session);
}

void Readers::ReadLater(size_t session) {
  world_.loop->After(dice_.Skewed(absl::Microseconds(1), kReadEveryMost), [this, session] {
    if (stopped_) return;
    Read(session);
    ReadLater(session);
  });
}

kv::ReadOptions Readers::Draw(const Session& session) {
  kv::ReadOptions options;
  const uint64_t roll = dice_.Below(100);
  if (roll < 10) {
    options.consistency = Consistency::kLinearizable;
  } else if (roll < 20) {
    options.consistency = Consistency::kLease;
  } else {
    options.consistency = Consistency::kFollower;
    if (roll < 80) options.max_staleness = dice_.Skewed(absl::ZeroDuration(), kStalenessMost);
  }
  if (dice_.OneIn(2)) {
    options.min_revision = kv::Revision(
        session.seen + (dice_.OneIn(4) ? static_cast<int64_t>(dice_.Below(kAheadMost + 1)) : 0));
  }
  return options;
}

// A write that was answered is the session's own; who is not told does not know.
void Readers::Write(size_t session, Machine* machine) {
  Operation put = proposals_.New(OperationKind::kPut);
  put.key = kOwnKey + static_cast<uint32_t>(session);
  put.value = Value(put.id.value());
  proposals_.Send(machine, put, &dice_, [this, session](const raft::ProposeOutcome& outcome) {
    const auto* const applied = std::get_if<raft::Applied>(&outcome);
    if (applied == nullptr) return;
    LogIndex& written = sessions_[session].written;
    written = std::max(written, applied->position.index);
    Saw(session, applied->position.index);
  });
}

void Readers::Saw(size_t session, LogIndex place) {
  int64_t& seen = sessions_[session].seen;
  seen = std::max(seen, ledger_->RevisionAt(place));
}

void Readers::Read(size_t session) {
  Machine* const machine = proposals_.AnyMachine(&dice_);
  if (machine == nullptr || machine->paused()) return;
  if (dice_.OneIn(4)) return Write(session, machine);
  const kv::ReadOptions options = Draw(sessions_[session]);
  const ClientOptions& client = world_.options->client;
  const Instant begun = machine->Now();
  const Instant deadline = begun + dice_.Between(client.deadline_least, client.deadline_most);
  machine->read_gate()->Pass(options, deadline,
                             [this, session, written = sessions_[session].written, machine, options,
                              begun](absl::StatusOr<kv::ReadGate::Passed> passed) {
                               if (passed.ok()) {
                                 OnPassed(session, written, *machine, options, begun, *passed);
                               } else if (options.max_staleness.has_value()) {
                                 world_.coverage->Reached(Path::kBoundRefused);
                               }
                             });
}

void Readers::OnPassed(size_t session, LogIndex written, const Machine& machine,
                       const kv::ReadOptions& options, Instant begun,
                       const kv::ReadGate::Passed& passed) {
  const LogIndex applied = machine.kv_store()->View()->applied().index;
  if (passed.shows != Instant::InfinitePast()) {
    const LogIndex claimed = ledger_->LastAppliedBefore(machine.TimeOf(passed.shows));
    CHECK_GE(applied, claimed) << "node " << machine.id() << " claims to show everything of up to "
                               << begun - passed.shows
                               << " before the read, and leaves out entries";
  }
  if (options.max_staleness.has_value()) {
    CHECK(passed.shows != Instant::InfinitePast() && passed.shows >= begun - *options.max_staleness)
        << "node " << machine.id() << " serves a read within " << *options.max_staleness;
    if (passed.shows < begun) world_.coverage->Reached(Path::kBoundProvenBefore);
  }
  const int64_t revision = ledger_->RevisionAt(applied);
  CHECK_GE(revision, options.min_revision.value()) << "at node " << machine.id();
  if (machine.Now() > begun && options.consistency == Consistency::kFollower &&
      !options.max_staleness.has_value()) {
    world_.coverage->Reached(Path::kRevisionAwaited);
  }
  const KeyId key(static_cast<uint32_t>(dice_.Below(kKeysMax)));
  CHECK_EQ(machine.store().Read(key).value, ledger_->ValueAt(key, applied))
      << "node " << machine.id() << " shows something else than the log up to " << applied;
  if (options.min_revision > kv::Revision()) {
    CHECK_GE(applied, written) << "node " << machine.id()
                               << " does not show a session what it wrote";
  }
  Saw(session, applied);
}

}  // namespace pontoon::sim
