#include "tests/sim/machine.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "raft/base/check.h"
#include "raft/storage/log_fit.h"
#include "raft/storage/segmented_log.h"
#include "tests/sim/fingerprint.h"
#include "tests/sim/watched_log.h"
#include "tests/sim/watched_state_machine.h"

namespace pontoon::sim {
namespace {

constexpr char kLogDir[] = "/log";
constexpr char kSegmentSuffix[] = ".log";

VirtualClock::Error DrawClockError(const SimOptions& options, Dice* dice) {
  VirtualClock::Error error{.offset = dice->Between(absl::Seconds(1), absl::Seconds(100000))};
  const int64_t most = options.clock_rate_ppm_most;
  if (options.clocks_at_the_bound) {
    error.rate_ppm = dice->OneIn(2) ? most : -most;
  } else if (most > 0) {
    error.rate_ppm = static_cast<int64_t>(dice->Below(2 * most + 1)) - most;
  }
  return error;
}

uint64_t SeedOf(uint64_t seed, NodeId id) { return Mix(Mix(seed, "machine"), id.value()); }

}  // namespace

Machine::Machine(const World& world, NodeId id)
    : world_(world),
      id_(id),
      dice_(SeedOf(world.options->seed, id)),
      clock_(world.loop, DrawClockError(*world.options, &dice_)),
      store_(world.options->level_db ? NewLevelDbStore() : NewModelStore()) {}

Machine::~Machine() { EndLife(); }

// ---- lives

void Machine::Start() {
  CHECK(!up() && !removed());
  if (damage_found_) return;
  ++lives_;
  auto life = std::make_unique<Life>(world_.loop, &clock_);
  raft::RestoredState restored;
  if (!OpenStorage(life.get(), &restored)) {
    if (disk_.power_is_off()) world_.coverage->Reached(Path::kRestartDuringRecovery);
    world_.trace->Say("node ", id_.value(), " died of its disk when it started");
    disk_.Crash(FaultyFileSystem::Unsynced::kScattered, dice_.Next());
    return;
  }
  if (restored.applied < restored.base.index) {
    world_.coverage->Reached(Path::kStartWithoutState);
  }
  if (restored.applied < restored.last) world_.coverage->Reached(Path::kReplayAfterRestart);
  life->transport = world_.network->TransportOf(id_);
  const raft::RaftNodeEnvironment environment{.clock = &clock_,
                                              .transport = life->transport.get(),
                                              .log = life->log.get(),
                                              .state_machine = life->state_machine.get()};
  world_.trace->Say("node ", id_.value(), " starts: term ", restored.hard_state.term.value(),
                    " vote ", restored.hard_state.vote.value(), " log ",
                    restored.base.index.value(), "..", restored.last.value(), " applied ",
                    restored.applied.value());
  life->node = std::make_unique<raft::RaftNode>(NodeOptions(), restored, environment,
                                                Executors(&life->process));
  life_ = std::move(life);
  if (store_->kv_store() != nullptr) {
    life_->watch_hub = NewWatchHub(&life_->process);
    BeginLessor();
    BeginReads();
  }
  world_.network->Connect(id_, life_->node.get());
  SyncStoreAtTimes(lives_);
}

bool Machine::OpenStorage(Life* life, raft::RestoredState* restored) {
  const uint64_t truncations_before = disk_.truncations();
  raft::RecoveredLog recovered;
  absl::StatusOr<std::unique_ptr<raft::LogStore>> log =
      raft::OpenSegmentedLog(&disk_, kLogDir,
                             {.segment_bytes = world_.options->disk.segment_bytes,
                              .frame_bytes_max = world_.options->disk.frame_bytes_max},
                             &recovered);
  if (!log.ok()) {
    damage_found_ = absl::IsDataLoss(log.status());
    // A disk that fails says so; otherwise damage would be the log's own doing.
    CHECK(!damage_found_ || rotten_) << "node " << id_ << ": " << log.status();
    if (damage_found_) world_.coverage->Reached(Path::kDamageFound);
    CHECK(damage_found_ || disk_.faulty()) << "node " << id_ << ": " << log.status();
    return false;
  }
  if (disk_.truncations() > truncations_before) world_.coverage->Reached(Path::kTornTailRepaired);
  const auto files = disk_.ListDir(kLogDir);
  if (files.ok() && files->size() > 2) world_.coverage->Reached(Path::kSegmentRolled);
  world_.referee->OnRecovered(id_, recovered, **log);
  life->log = std::make_unique<WatchedLog>(id_, *std::move(log), &life->process, world_.referee,
                                           world_.coverage);
  LogIndex applied;
  if (!FitToState(life, &recovered, &applied)) return false;
  *restored = {.hard_state = recovered.hard_state,
               .base = recovered.base,
               .last = recovered.last,
               .terms = std::move(recovered.terms),
               .applied = applied,
               .memberships = recovered.HistoryFrom(FirstMembership())};
  return true;
}

// A spare machine knows of nobody.
Membership Machine::FirstMembership() const {
  const Membership founding = world_.options->FoundingMembership();
  return founding.IsVoter(id_) ? founding : Membership();
}

bool Machine::FitToState(Life* life, raft::RecoveredLog* recovered, LogIndex* applied) {
  const auto scrub = [this] { return dice_.Skewed(absl::Microseconds(5), absl::Milliseconds(20)); };
  StateMachine* const state_machine = store_->Open(life->process.NewExecutor("scrubber", scrub));
  life->state_machine =
      std::make_unique<WatchedStateMachine>(id_, state_machine, store_.get(), world_.referee);
  const absl::StatusOr<std::string> membership = state_machine->Membership();
  CHECK(membership.ok()) << "node " << id_ << ": " << membership.status();
  const raft::FoundState found{state_machine->Applied(), store_->BeganAs(), *membership};
  *applied = found.applied.index;
  const LogPosition base = recovered->base;
  const absl::Status fit = raft::FitLogToState(kLogDir, found, life->log.get(), recovered);
  if (recovered->base != base) world_.coverage->Reached(Path::kInstallCutByCrash);
  if (fit.ok()) return true;
  CHECK(disk_.faulty()) << "node " << id_ << ": " << fit;
  life->state_machine.reset();
  store_->Crash();
  return false;
}

raft::RaftNodeOptions Machine::NodeOptions() {
  raft::RaftNodeOptions options;
  options.core = world_.options->core;
  options.core.self = id_;
  if (id_ == world_.options->preferred) options.core.priority = 1;
  options.core.seed = dice_.Next();
  options.first_sequence = dice_.Next();
  options.retention = world_.options->retention;
  options.snapshots = world_.options->snapshots;
  options.on_removed = [this] { OnRemoved(); };
  options.on_fatal = [this](const absl::Status& error) { OnFatal(error); };
  return options;
}

raft::RaftNodeExecutors Machine::Executors(Process* process) {
  const DiskOptions& disk = world_.options->disk;
  const auto quick = [this] { return dice_.Skewed(absl::Microseconds(1), absl::Microseconds(50)); };
  const auto sync = [this, &disk] {
    const absl::Duration takes = dice_.Skewed(disk.sync_least, disk.sync_most) + disk_delay_;
    disk_busy_until_ = world_.loop->now() + takes;
    return takes;
  };
  const auto read = [this] {
    return dice_.Skewed(absl::Microseconds(20), absl::Milliseconds(10)) + disk_delay_;
  };
  const auto apply = [this] {
    return dice_.Skewed(absl::Microseconds(5), absl::Milliseconds(2)) + apply_delay_;
  };
  return {.loop = process->NewExecutor("loop", quick),
          .log_writer = process->NewExecutor("log writer", sync),
          .log_reader = process->NewExecutor(kLogReaderName, read),
          .applier = process->NewExecutor(kApplierName, apply),
          .snapshots = process->NewExecutor("snapshots", read)};
}

// What it reads at once, and how many share that, is drawn, so that turns end everywhere.
std::unique_ptr<kv::WatchHub> Machine::NewWatchHub(Process* process) {
  kv::WatchHubOptions options;
  options.turn_revisions_max = dice_.Between(1, 50);
  options.turn_watchers_max = dice_.Between(1, 4);
  const auto pace = [this] { return dice_.Skewed(absl::Microseconds(5), absl::Milliseconds(5)); };
  return std::make_unique<kv::WatchHub>(
      store_->kv_store(), &clock_, options, [](etcdserverpb::ResponseHeader*) {},
      [] { return true; }, process->NewExecutor("watches", pace));
}

void Machine::BeginLessor() {
  const LeaseOptions& leases = world_.options->leases;
  // As quick as the node's loop: it may be before that to see that the process runs again.
  const auto pace = [this] { return dice_.Skewed(absl::Microseconds(1), absl::Microseconds(50)); };
  life_->lessor_executor = life_->process.NewExecutor("lessor", pace);
  life_->lessor_replica = std::make_unique<LessorReplica>(this, world_.bookkeeper);
  life_->lessor = std::make_unique<kv::Lessor>(
      kv::Lessor::Parts{.replica = life_->lessor_replica.get(),
                        .store = store_->kv_store(),
                        .clock = &clock_,
                        .executor = life_->lessor_executor.get()},
      kv::Lessor::Options{.election_timeout = world_.options->core.election_timeout,
                          .look_interval = leases.look_interval,
                          .checkpoint_interval = leases.checkpoint_interval});
}

void Machine::BeginReads() {
  const auto pace = [this] { return dice_.Skewed(absl::Microseconds(1), absl::Milliseconds(1)); };
  life_->read_gate = std::make_unique<kv::ReadGate>(
      kv::ReadGate::Parts{life_->node.get(), store_->kv_store(), &clock_},
      life_->process.NewExecutor("revisions", pace));
}

// Within a task of the node: it is taken away a moment later, and does nothing until then.
void Machine::OnFatal(const absl::Status& error) {
  CHECK(disk_.faulty()) << "node " << id_ << ": " << error;
  world_.trace->Say("node ", id_.value(), " dies: ", error.ToString());
  life_->process.Die();
  if (absl::IsResourceExhausted(error)) world_.coverage->Reached(Path::kDiedOfFullDisk);
  world_.loop->After(absl::ZeroDuration(), [this, life = lives_] {
    if (!up() || lives_ != life) return;
    if (disk_.power_is_off()) {
      world_.coverage->Reached(Path::kPowerCutWithinWrite);
      LosePower();
    } else {
      world_.coverage->Reached(Path::kDiedOfDiskError);
      CrashProcess();
    }
  });
}

void Machine::EndLife() {
  if (!up()) return;
  world_.network->Connect(id_, nullptr);
  life_->process.Die();
  const std::unique_ptr<Life> life = std::move(life_);
  if (life->lessor != nullptr) life->lessor->Close();
  life->lessor_executor.reset();
  life->node.reset();
}

void Machine::CrashProcess() {
  if (!up()) return;
  NoteTermNotDurable();
  store_->CutOff();
  EndLife();
  store_->Crash();
  disk_.RestartProcess();
  world_.network->BreakConnectionsOf(id_);
  world_.trace->Say("node ", id_.value(), " crashed");
}

void Machine::LosePower() {
  if (up()) {
    NoteTermNotDurable();
    store_->CutOff();
    EndLife();
    store_->Crash();
  }
  static constexpr FaultyFileSystem::Unsynced kFates[] = {
      FaultyFileSystem::Unsynced::kLost, FaultyFileSystem::Unsynced::kKept,
      FaultyFileSystem::Unsynced::kScattered, FaultyFileSystem::Unsynced::kScattered};
  disk_.Crash(dice_.Pick(kFates), dice_.Next());
  // Nobody is told: a machine without power does not close its connections.
  world_.trace->Say("machine ", id_.value(), " lost its power");
}

void Machine::LoseState() {
  CrashProcess();
  store_->Wipe();
  world_.trace->Say("node ", id_.value(), " lost its state");
}

// The two newest segments are left alone. Damage at the end of the log can look like a write that
// was torn; and a power loss may yet take away the name of the newest one.
void Machine::RotLog() {
  CrashProcess();
  constexpr size_t kSegmentsLeftAlone = 2;
  const auto names = disk_.ListDir(kLogDir);
  if (!names.ok()) return;
  std::vector<std::string> segments;
  std::copy_if(names->begin(), names->end(), std::back_inserter(segments),
               [](const std::string& name) { return absl::EndsWith(name, kSegmentSuffix); });
  std::sort(segments.begin(), segments.end());
  if (segments.size() <= kSegmentsLeftAlone) return;
  const std::string path =
      JoinPath(kLogDir, segments[dice_.Below(segments.size() - kSegmentsLeftAlone)]);
  const uint64_t bit = dice_.Below(disk_.Contents(path).size() * 8);
  disk_.FlipBit(path, bit);
  rotten_ = true;
  world_.coverage->Met(Fault::kBitRot);
  world_.trace->Say("bit ", bit, " of ", path, " of node ", id_.value(), " flips");
}

void Machine::NoteTermNotDurable() {
  if (node()->Status().term > world_.referee->DurableState(id_).term) {
    world_.coverage->Reached(Path::kVoteWithheldByCrash);
  }
}

void Machine::StopCleanly() {
  if (!up() || paused()) return;
  world_.trace->Say("node ", id_.value(), " is to stop");
  stopping_life_ = lives_;
  const Instant deadline = Now() + world_.options->core.election_timeout;
  node()->TransferLeadership(kNoNode, deadline, [this, life = lives_](absl::Status) {
    world_.loop->After(absl::ZeroDuration(), [this, life] { FinishStop(life); });
  });
}

// Within a task of the node, as OnFatal.
void Machine::OnRemoved() {
  world_.trace->Say("node ", id_.value(), " was removed");
  world_.coverage->Reached(Path::kNodeRemoved);
  if (world_.referee->newest_leader() == id_) world_.coverage->Reached(Path::kLeaderRemoved);
  removed_ = true;
  stopping_life_ = lives_;
  world_.loop->After(absl::ZeroDuration(), [this, life = lives_] { FinishStop(life); });
}

void Machine::FinishStop(uint64_t life) {
  if (!up() || lives_ != life || stopping_life_ != life || paused()) return;
  node()->Stop();
  EndLife();
  store_->Close();
  disk_.RestartProcess();
  world_.network->BreakConnectionsOf(id_);
  world_.trace->Say("node ", id_.value(), " has stopped");
}

void Machine::Pause() {
  if (up()) life_->process.Pause();
}

void Machine::Resume() {
  if (up()) life_->process.Resume();
}

// Within a task of the node.
void Machine::StandStillAtTimes() {
  const SimOptions& options = *world_.options;
  const bool is_over = world_.loop->now() >= SimTime() + options.safety_phase;
  const uint64_t one_in = options.leases.standstill_one_in;
  if (is_over || one_in == 0 || !dice_.OneIn(one_in)) return;
  world_.coverage->Met(Fault::kStandstill);
  const bool is_taken_for_dead = dice_.OneIn(2);
  const absl::Duration timeout = options.core.election_timeout;
  const absl::Duration lasts = is_taken_for_dead ? dice_.Between(timeout / 10, timeout)
                                                 : dice_.Between(timeout, timeout * 8);
  world_.loop->After(absl::ZeroDuration(), [this, is_taken_for_dead, lasts, life = lives_] {
    if (!up() || lives_ != life) return;
    world_.trace->Say("leader ", id_.value(), " stands still");
    Pause();
    if (is_taken_for_dead) world_.network->BreakConnectionsOf(id_);
    world_.loop->After(lasts, [this, life] {
      if (up() && lives_ == life) Resume();
    });
  });
}

void Machine::Heal() {
  stopping_life_ = 0;
  disk_.ClearFaults();
  disk_delay_ = apply_delay_ = absl::ZeroDuration();
}

// As LevelDB writes a table whenever its memory is full.
void Machine::SyncStoreAtTimes(uint64_t life) {
  world_.loop->After(dice_.Between(absl::Milliseconds(1), world_.options->store_sync_every * 2),
                     [this, life] {
                       if (!up() || lives_ != life || life_->process.dead()) return;
                       if (!life_->process.paused()) store_->Sync();
                       SyncStoreAtTimes(life);
                     });
}

}  // namespace pontoon::sim
