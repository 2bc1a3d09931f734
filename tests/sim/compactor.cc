#include "tests/sim/compactor.h"

#include <algorithm>

#include "absl/status/status.h"
#include "kv/errors.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.pb.h"
#include "raft/base/check.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

// How far behind the present revision a compaction is, and a read behind the compaction.
constexpr uint64_t kBehindMost = 200;
constexpr uint64_t kBelowMost = 20;
// What is asked for of the future.
constexpr uint64_t kAheadMost = 3;
constexpr absl::Duration kReadEveryMost = absl::Milliseconds(500);

}  // namespace

Compactor::Compactor(const World& world, Machines* machines, const Ledger* ledger)
    : world_(world),
      ledger_(ledger),
      proposals_(world, machines, ledger),
      dice_(Mix(world.options->seed, "compactor")) {}

void Compactor::Start() {
  if (world_.options->compact_every == absl::ZeroDuration()) return;
  CompactLater();
  ReadLater();
}

void Compactor::CompactLater() {
  world_.loop->After(dice_.Between(absl::Microseconds(1), world_.options->compact_every * 2),
                     [this] {
                       if (stopped_) return;
                       if (Machine* const machine = proposals_.AnyMachine(&dice_)) Compact(machine);
                       CompactLater();
                     });
}

void Compactor::ReadLater() {
  world_.loop->After(dice_.Between(absl::Microseconds(1), kReadEveryMost), [this] {
    if (stopped_) return;
    if (Machine* const machine = proposals_.AnyMachine(&dice_)) Read(machine);
    ReadLater();
  });
}

absl::Duration Compactor::DrawTimeout() {
  const ClientOptions& client = world_.options->client;
  return dice_.Between(client.deadline_least, client.deadline_most);
}

void Compactor::Compact(Machine* machine) {
  Operation compaction = proposals_.New(OperationKind::kCompact);
  compaction.revision =
      dice_.OneIn(10) ? DrawRevision()
                      : std::max<int64_t>(ledger_->model().revision() -
                                              static_cast<int64_t>(dice_.Skewed(0, kBehindMost)),
                                          0);
  proposals_.Send(machine, compaction, &dice_);
}

void Compactor::Read(Machine* machine) {
  ++open_reads_;
  const auto mode = dice_.OneIn(2) ? raft::ReadMode::kLease : raft::ReadMode::kQuorum;
  machine->node()->ReadBarrier(mode, machine->Now() + DrawTimeout(),
                               [this, machine](const absl::Status& status) {
                                 --open_reads_;
                                 if (status.ok()) OnReadable(*machine);
                               });
}

// Around the compacted one, or anywhere. From 1 on: 0 would be the present one.
int64_t Compactor::DrawRevision() {
  const int64_t compacted = std::max<int64_t>(ledger_->model().compacted(), 0);
  const int64_t last = ledger_->model().revision() + static_cast<int64_t>(kAheadMost);
  const int64_t revision = dice_.OneIn(3)
                               ? static_cast<int64_t>(dice_.Below(static_cast<uint64_t>(last)))
                               : compacted - static_cast<int64_t>(dice_.Below(kBelowMost)) +
                                     static_cast<int64_t>(dice_.Below(2 * kBelowMost));
  return std::clamp<int64_t>(revision, 1, last);
}

void Compactor::OnReadable(const Machine& machine) {
  const int64_t revision = DrawRevision();
  const KeyId key(static_cast<uint32_t>(dice_.Below(kKeysMax)));
  const auto view = machine.kv_store()->View();
  etcdserverpb::RangeRequest request;
  request.set_key(NameOf(key));
  request.set_revision(revision);
  etcdserverpb::RangeResponse response;
  const absl::Status read = view->Range(request, &response);
  const LogIndex applied = view->applied().index;
  if (revision < ledger_->CompactedAt(applied)) {
    CHECK(kv::Is(read, kv::kErrCompacted)) << "revision " << revision << ": " << read;
    world_.coverage->Reached(Path::kReadOfCompacted);
  } else if (revision > ledger_->RevisionAt(applied)) {
    CHECK(kv::Is(read, kv::kErrFutureRev)) << "revision " << revision << ": " << read;
  } else {
    CHECK(read.ok()) << "revision " << revision << ": " << read;
    const Value value = response.kvs().empty() ? kAbsent : ValueOf(response.kvs(0).value());
    CHECK_EQ(value, ledger_->ValueAtRevision(key, revision))
        << "key " << key << " at revision " << revision << ", read at node " << machine.id()
        << " after entry " << applied;
    world_.coverage->Reached(Path::kReadOfPast);
  }
}

}  // namespace pontoon::sim
