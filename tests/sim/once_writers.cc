#include "tests/sim/once_writers.h"

#include <algorithm>
#include <variant>

#include "absl/time/time.h"
#include "tests/sim/dice.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

constexpr size_t kWriters = 3;
// Those of all writers, behind those of the lease holders; and before them the writers' locks.
constexpr KeyId kLocksBegin{48};
constexpr KeyId kKeysBegin{kLocksBegin.value() + kWriters};
constexpr uint32_t kKeys = 4;
static_assert(kKeysBegin.value() + kKeys <= kKeysMax);
constexpr absl::Duration kLookMost = absl::Milliseconds(150);
// Of a session that is over its writer goes on sending copies for so many looks.
constexpr uint64_t kLooksAfterMost = 10;

}  // namespace

class OnceWriters::Writer {
 public:
  Writer(size_t number, OnceWriters* all)
      : all_(all),
        world_(all->world_),
        proposals_(&all->proposals_),
        lock_(kLocksBegin + static_cast<uint32_t>(number)),
        dice_(Mix(Mix(all->world_.options->seed, "once writer"), number)) {}

  void Look() {
    if (all_->stopped_) return;
    Act();
    world_.loop->After(dice_.Skewed(absl::Microseconds(1), kLookMost), [this] { Look(); });
  }

 private:
  // A write and what is known of it. Its copies are operations of their own.
  struct Write {
    Operation first;
    bool answered = false;
  };

  void Act() {
    if (granting_) return;
    Machine* const machine = proposals_->AnyMachine(&dice_);
    if (machine == nullptr) return;
    if (world_.loop->now() >= session_end_ && looks_left_-- == 0) session_ = kNoLease;
    if (session_ == kNoLease) return Grant(machine);
    if (dice_.OneIn(8)) return dice_.OneIn(2) ? Lock(machine) : LoseLock(machine);
    if (!writes_.empty() && dice_.OneIn(2)) return SendAgain(machine);
    WriteNew(machine);
  }

  void Grant(Machine* machine) {
    const LeaseOptions& options = world_.options->leases;
    const auto ttl_seconds =
        static_cast<int64_t>(dice_.Between(options.ttl_least_seconds, options.ttl_most_seconds));
    granting_ = true;
    proposals_->Grant(machine, ttl_seconds, &dice_, [this, ttl_seconds](LeaseId granted) {
      granting_ = false;
      if (granted == kNoLease) return;
      session_ = granted;
      session_end_ = world_.loop->now() + absl::Seconds(ttl_seconds);
      looks_left_ = dice_.Below(kLooksAfterMost + 1);
      sequence_ = 0;
      writes_.clear();
      lock_revision_ = 0;
      if (Machine* const another = proposals_->AnyMachine(&dice_)) Lock(another);
    });
  }

  void Lock(Machine* machine) {
    Operation put = proposals_->New(OperationKind::kPut);
    put.key = lock_;
    put.value = Value(put.id.value());
    put.lease = session_;
    proposals_->Send(machine, put, &dice_,
                     [this, session = session_](const raft::ProposeOutcome& outcome) {
                       const auto* const applied = std::get_if<raft::Applied>(&outcome);
                       if (applied == nullptr || session != session_) return;
                       // The one before may be gone, or not: its key is taken over then, and with
                       // it its revision.
                       const KeyModel::Key& lock = all_->ledger_->model().At(lock_);
                       if (lock.value != kAbsent) lock_revision_ = lock.create_revision;
                     });
  }

  // The writer does not hear of it.
  void LoseLock(Machine* machine) {
    Operation deletion = proposals_->New(OperationKind::kDelete);
    deletion.key = lock_;
    proposals_->Send(machine, deletion, &dice_);
  }

  void WriteNew(Machine* machine) {
    Operation write = proposals_->New(OperationKind::kPut);
    write.key = kKeysBegin + static_cast<uint32_t>(dice_.Below(kKeys));
    write.value = Value(write.id.value());
    const uint64_t roll = dice_.Below(10);
    if (roll < 2) {
      write.kind = OperationKind::kDelete;
    } else if (roll < 5) {
      write.kind = OperationKind::kCompareAndSet;
      write.expected = dice_.OneIn(4) ? kAbsent : all_->ledger_->model().At(write.key).value;
    } else if (roll < 7) {
      write.lease = session_;
    }
    write.name = {.session = session_,
                  .sequence = ++sequence_,
                  .answered_below = AnsweredBelow(),
                  .original = write.id};
    if (lock_revision_ != 0 && dice_.OneIn(3)) {
      write.fence = {.key = lock_, .create_revision = lock_revision_};
    }
    writes_.push_back({write});
    SendCopy(machine, write);
  }

  void SendAgain(Machine* machine) {
    const Write& write = writes_[dice_.Below(writes_.size())];
    if (write.answered && !dice_.OneIn(3)) return;
    Operation copy = proposals_->CopyOf(write.first);
    if (dice_.OneIn(2)) copy.name.answered_below = std::min(AnsweredBelow(), copy.name.sequence);
    SendCopy(machine, copy);
  }

  void SendCopy(Machine* machine, const Operation& copy) {
    proposals_->Send(machine, copy, &dice_,
                     [this, session = session_,
                      sequence = copy.name.sequence](const raft::ProposeOutcome& outcome) {
                       const bool answered = std::holds_alternative<raft::Applied>(outcome);
                       if (answered && session == session_) writes_[sequence - 1].answered = true;
                     });
  }

  // The lowest sequence without an answer.
  uint64_t AnsweredBelow() const {
    uint64_t below = 1;
    while (below <= writes_.size() && writes_[below - 1].answered) ++below;
    return below;
  }

  OnceWriters* const all_;
  const World& world_;
  Proposals* const proposals_;
  const KeyId lock_;
  Dice dice_;
  bool granting_ = false;
  LeaseId session_;  // kNoLease: it has none
  SimTime session_end_;
  uint64_t looks_left_ = 0;
  uint64_t sequence_ = 0;
  int64_t lock_revision_ = 0;  // 0: none is known
  std::vector<Write> writes_;  // of the session, by their sequences from 1 on
};

OnceWriters::OnceWriters(const World& world, Machines* machines, const Ledger* ledger)
    : world_(world), ledger_(ledger), proposals_(world, machines, ledger) {
  if (world.options->leases.holders == 0) return;  // nothing would end their sessions
  for (size_t i = 0; i < kWriters; ++i) writers_.push_back(std::make_unique<Writer>(i, this));
}

OnceWriters::~OnceWriters() = default;

void OnceWriters::Start() {
  for (const auto& writer : writers_) writer->Look();
}

}  // namespace pontoon::sim
