#include "tests/sim/nemesis.h"

#include <algorithm>
#include <utility>

#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

constexpr absl::Duration kWatchEvery = absl::Milliseconds(50);

}  // namespace

Nemesis::Nemesis(const World& world, Machines* machines)
    : world_(world), machines_(machines), dice_(Mix(world.options->seed, "nemesis")) {
  for (const uint64_t weight : world.options->trouble_weights) weight_sum_ += weight;
}

void Nemesis::Start() {
  if (weight_sum_ == 0) return;
  Wait();
  WatchMachines();
}

void Nemesis::Wait() {
  Later(dice_.Between(absl::Microseconds(1), world_.options->trouble_every * 2), [this] {
    MakeTrouble();
    Wait();
  });
}

void Nemesis::Later(absl::Duration delay, Task task) {
  world_.loop->After(delay, [this, task = std::move(task)]() mutable {
    if (!healed_) std::move(task)();
  });
}

absl::Duration Nemesis::Downtime() {
  return dice_.Skewed(absl::Milliseconds(1), world_.options->downtime_most);
}

Machine* Nemesis::Victim() {
  NodeId node = world_.referee->newest_leader();
  if (node == kNoNode || dice_.OneIn(2)) node = AnyNode();
  return (*machines_)[node.value() - 1].get();
}

Trouble Nemesis::DrawTrouble() {
  uint64_t roll = dice_.Below(weight_sum_);
  size_t trouble = 0;
  for (const uint64_t weight : world_.options->trouble_weights) {
    if (roll < weight) break;
    roll -= weight;
    ++trouble;
  }
  return static_cast<Trouble>(trouble);
}

void Nemesis::MakeTrouble() { Do(DrawTrouble()); }

void Nemesis::Do(Trouble trouble) {
  Coverage* const coverage = world_.coverage;
  Machine* const victim = Victim();
  switch (trouble) {
    case Trouble::kPartition:
      Partition();
      break;
    case Trouble::kProcessCrash:
      coverage->Met(Fault::kProcessCrash);
      victim->CrashProcess();
      break;
    case Trouble::kPowerLoss:
      coverage->Met(Fault::kPowerLoss);
      victim->LosePower();
      break;
    case Trouble::kPowerCutWithinWrite:
      coverage->Met(Fault::kPowerCutWithinWrite);
      victim->CutPowerAfter(dice_.Below(24));
      break;
    case Trouble::kAllPowerLost:
      AllPowerLost();
      break;
    case Trouble::kFailedSync:
      coverage->Met(Fault::kFailedSync);
      victim->FailSyncAfter(dice_.Below(6));
      break;
    case Trouble::kFailedWrite:
      coverage->Met(Fault::kFailedWrite);
      victim->FailWriteAfter(dice_.Below(6));
      break;
    case Trouble::kPause:
      PauseOne();
      break;
    case Trouble::kDiskStall:
      StallDisk();
      break;
    case Trouble::kSlowApply:
      SlowApply();
      break;
    case Trouble::kCleanStop:
      coverage->Met(Fault::kCleanStop);
      victim->StopCleanly();
      break;
    case Trouble::kTransfer:
      TransferLeadership();
      break;
    case Trouble::kReplay:
      world_.network->Replay(dice_.Between(1, 40));
      break;
    case Trouble::kStateLost:
      LoseState();
      break;
    case Trouble::kDiskFull:
      FillDisk();
      break;
    case Trouble::kBitRot:
      RotLog();
      break;
    case Trouble::kCount:
      break;
  }
}

// One machine's at a time, and never for good: somebody must have the state, and be able to lead.
void Nemesis::LoseState() {
  Machine* const machine = machines_->front().get();
  if (machines_->size() < 3 || world_.options->minority_stays_down) return;
  world_.coverage->Met(Fault::kStateLost);
  machine->LoseState();
}

void Nemesis::FillDisk() {
  Machine* const victim = Victim();
  world_.coverage->Met(Fault::kDiskFull);
  world_.trace->Say("the disk of node ", victim->id().value(), " is nearly full");
  victim->FillDisk(dice_.Below(world_.options->disk.segment_bytes * 2));
  Later(Downtime(), [victim] { victim->MakeSpace(); });
}

// One machine's only, in all the run.
void Nemesis::RotLog() {
  const auto rotten = [](const auto& machine) { return machine->rotten(); };
  if (std::none_of(machines_->begin(), machines_->end(), rotten)) Victim()->RotLog();
}

// ---- machines

// Whatever a machine died of, and whenever: it comes back after a while.
void Nemesis::WatchMachines() {
  Later(kWatchEvery, [this] {
    for (const auto& machine : *machines_) {
      bool& restarts = restarts_[machine->id().value()];
      if (machine->up() || std::exchange(restarts, true)) continue;
      Later(Downtime(), [this, &restarts, machine = machine.get()] {
        restarts = false;
        StartIfDown(machine);
      });
    }
    WatchMachines();
  });
}

void Nemesis::StartIfDown(Machine* machine) {
  if (machine->up() || machine->removed()) return;
  // Now and then it goes down again while it reads its log.
  const bool within_writes =
      world_.options->trouble_weights[static_cast<size_t>(Trouble::kPowerCutWithinWrite)] > 0;
  if (within_writes && dice_.OneIn(4)) machine->CutPowerAfter(dice_.Below(12));
  machine->Start();
}

void Nemesis::AllPowerLost() {
  world_.coverage->Met(Fault::kAllPowerLost);
  for (const auto& machine : *machines_) {
    machine->LosePower();
  }
}

void Nemesis::PauseOne() {
  Machine* const victim = Victim();
  if (!victim->up() || victim->paused()) return;
  world_.coverage->Met(Fault::kPause);
  world_.trace->Say("node ", victim->id().value(), " is paused");
  const Term term = victim->node()->Status().term;
  const bool led = victim->node()->Status().role == raft::Role::kLeader;
  victim->Pause();
  Later(Downtime(), [this, victim, term, led, life = victim->lives()] {
    if (!victim->up() || victim->lives() != life) return;
    victim->Resume();
    world_.trace->Say("node ", victim->id().value(), " goes on");
    if (led && world_.referee->newest_term() > term) {
      world_.coverage->Reached(Path::kPausedLeaderCameBack);
    }
  });
}

void Nemesis::StallDisk() {
  Machine* const victim = Victim();
  world_.coverage->Met(Fault::kDiskStall);
  victim->SlowDisk(dice_.Skewed(absl::Milliseconds(1), absl::Seconds(3)));
  Later(Downtime(), [victim] { victim->SlowDisk(absl::ZeroDuration()); });
}

void Nemesis::SlowApply() {
  Machine* const victim = Victim();
  world_.coverage->Met(Fault::kSlowApply);
  victim->SlowApply(dice_.Skewed(absl::Milliseconds(1), absl::Seconds(1)));
  Later(Downtime(), [victim] { victim->SlowApply(absl::ZeroDuration()); });
}

void Nemesis::TransferLeadership() {
  Machine* const victim = Victim();
  if (!victim->up()) return;
  world_.coverage->Met(Fault::kTransfer);
  const NodeId target = dice_.OneIn(2) ? kNoNode : AnyNode();
  victim->node()->TransferLeadership(target, victim->Now() + absl::Seconds(1),
                                     [coverage = world_.coverage](const absl::Status& status) {
                                       if (status.ok()) {
                                         coverage->Reached(Path::kLeadershipTransferred);
                                       }
                                     });
}

// ---- partitions

void Nemesis::Partition() {
  if (machines_->size() < 2) return;
  world_.coverage->Met(Fault::kPartition);
  using Shape = void (Nemesis::*)();
  static constexpr Shape kShapes[] = {&Nemesis::Split,      &Nemesis::OneWay,
                                      &Nemesis::Chain,      &Nemesis::Bridge,
                                      &Nemesis::QuorumLoss, &Nemesis::RandomLinks};
  world_.network->Unblock();
  if (dice_.OneIn(3)) {
    Isolate(Victim()->id());
  } else {
    (this->*dice_.Pick(kShapes))();
  }
  Later(Downtime(), [this, partition = ++partition_] {
    if (partition != partition_) return;
    world_.trace->Say("the network is whole");
    world_.network->Unblock();
  });
}

void Nemesis::BlockBothWays(NodeId a, NodeId b) {
  world_.network->Block(a, b);
  world_.network->Block(b, a);
}

void Nemesis::Isolate(NodeId node) {
  world_.trace->Say("node ", node.value(), " is cut off");
  for (const auto& other : *machines_) {
    if (other->id() != node) BlockBothWays(node, other->id());
  }
}

void Nemesis::Split() {
  world_.trace->Say("the network is split");
  const uint64_t sides = dice_.Next();
  for (const auto& a : *machines_) {
    for (const auto& b : *machines_) {
      const bool apart = (sides >> a->id().value() & 1) != (sides >> b->id().value() & 1);
      if (a->id() < b->id() && apart) BlockBothWays(a->id(), b->id());
    }
  }
}

void Nemesis::OneWay() {
  const NodeId node = Victim()->id();
  const bool deaf = dice_.OneIn(2);
  world_.trace->Say("node ", node.value(), deaf ? " is deaf" : " is mute");
  for (const auto& other : *machines_) {
    if (other->id() == node) continue;
    if (deaf) {
      world_.network->Block(other->id(), node);
    } else {
      world_.network->Block(node, other->id());
    }
  }
}

// Each node hears its neighbours only.
void Nemesis::Chain() {
  world_.trace->Say("the network is a chain");
  for (const auto& a : *machines_) {
    for (const auto& b : *machines_) {
      if (a->id() + 1 < b->id()) BlockBothWays(a->id(), b->id());
    }
  }
}

// Two halves that one node connects.
void Nemesis::Bridge() {
  const NodeId bridge = AnyNode();
  world_.trace->Say("node ", bridge.value(), " is a bridge");
  const uint64_t sides = dice_.Next();
  for (const auto& a : *machines_) {
    for (const auto& b : *machines_) {
      if (a->id() >= b->id() || a->id() == bridge || b->id() == bridge) continue;
      const bool apart = (sides >> a->id().value() & 1) != (sides >> b->id().value() & 1);
      if (apart) BlockBothWays(a->id(), b->id());
    }
  }
}

// Only one node has a quorum: everybody hears it, and nobody else.
void Nemesis::QuorumLoss() {
  const NodeId hub = AnyNode();
  world_.trace->Say("only node ", hub.value(), " is heard");
  for (const auto& a : *machines_) {
    for (const auto& b : *machines_) {
      if (a->id() < b->id() && a->id() != hub && b->id() != hub) BlockBothWays(a->id(), b->id());
    }
  }
}

void Nemesis::RandomLinks() {
  world_.trace->Say("some links are cut");
  for (const auto& a : *machines_) {
    for (const auto& b : *machines_) {
      if (a->id() != b->id() && dice_.OneIn(3)) world_.network->Block(a->id(), b->id());
    }
  }
}

// ---- the end

void Nemesis::HealAll() {
  healed_ = true;
  world_.network->Heal();
  const size_t nodes = machines_->size();
  const size_t down_most = world_.options->minority_stays_down ? (nodes - 1) / 2 : 0;
  // One whose log is damaged is down, or goes down when it is next started.
  size_t down = std::count_if(machines_->begin(), machines_->end(),
                              [](const auto& machine) { return machine->rotten(); });
  for (const auto& machine : *machines_) {
    machine->Heal();
    machine->Resume();
    if (!machine->rotten() && down < down_most && dice_.OneIn(2)) {
      machine->LosePower();
      ++down;
    } else if (!machine->up() && !machine->removed()) {
      machine->Start();
    }
  }
}

}  // namespace pontoon::sim
