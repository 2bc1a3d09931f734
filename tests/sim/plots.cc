#include "tests/sim/plots.h"

#include <algorithm>
#include <utility>

#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

bool IsOfLeader(const raft::Message& message) {
  return std::holds_alternative<raft::AppendRequest>(message.body) ||
         std::holds_alternative<raft::Heartbeat>(message.body);
}

}  // namespace

Plots::Plots(const World& world, Machines* machines, Clients* clients)
    : world_(world),
      machines_(machines),
      clients_(clients),
      dice_(Mix(world.options->seed, "plots in action")) {
  for (const uint64_t weight : world.options->plot_weights) weight_sum_ += weight;
}

void Plots::Start() {
  if (weight_sum_ > 0) Wait();
}

void Plots::End() {
  if (weight_sum_ == 0) return;
  Finish();
  ended_ = true;
}

void Plots::Wait() {
  Later(Timeouts(20, 200), [this] { Begin(); });
}

void Plots::Later(absl::Duration delay, Task task) {
  world_.loop->After(delay, [this, number = number_, task = std::move(task)]() mutable {
    if (!ended_ && number == number_) std::move(task)();
  });
}

absl::Duration Plots::Timeouts(uint64_t least_percent, uint64_t most_percent) {
  const absl::Duration timeout = world_.options->core.election_timeout;
  return dice_.Between(timeout * static_cast<int64_t>(least_percent) / 100,
                       timeout * static_cast<int64_t>(most_percent) / 100);
}

Plot Plots::Draw() {
  uint64_t roll = dice_.Below(weight_sum_);
  size_t plot = 0;
  for (const uint64_t weight : world_.options->plot_weights) {
    if (roll < weight) break;
    roll -= weight;
    ++plot;
  }
  return static_cast<Plot>(plot);
}

void Plots::Begin() {
  leader_ = world_.referee->newest_leader();
  if (leader_ == kNoNode || machines_->size() < 3 || !MachineOf(leader_)->up() ||
      MachineOf(leader_)->paused() ||
      MachineOf(leader_)->node()->Status().role != raft::Role::kLeader) {
    return Wait();
  }
  term_ = world_.referee->newest_term();
  followers_.clear();
  for (const auto& machine : *machines_) {
    if (machine->id() != leader_) followers_.push_back(machine->id());
  }
  switch (Draw()) {
    case Plot::kUsurpation:
      return Usurpation();
    case Plot::kStrangers:
      return Strangers();
    case Plot::kHandover:
      return Handover();
    case Plot::kFigureEight:
      return FigureEight();
    case Plot::kCount:
      break;
  }
}

void Plots::Finish() {
  world_.trace->Say("the plot is over");
  ++number_;
  act_ = Act::kNone;
  clients_->OnlyRead(false);
  world_.network->Unblock();
  Wait();
}

Plots::Nodes Plots::Take(size_t count, Nodes* nodes) {
  Nodes taken;
  while (taken.size() < count && !nodes->empty()) {
    const auto position = nodes->begin() + static_cast<std::ptrdiff_t>(dice_.Below(nodes->size()));
    taken.push_back(*position);
    nodes->erase(position);
  }
  return taken;
}

// ---- a leader is replaced and does not hear of it

// The followers' answers may be slow before that: then the leader knows of their contact, and of
// their promises, when these are old.
void Plots::Usurpation() {
  world_.coverage->Met(Fault::kUsurpation);
  const bool late_answers = dice_.OneIn(2);
  const absl::Duration late = Timeouts(10, 80);
  for (const NodeId node : followers_) {
    if (late_answers) world_.network->SlowDown(node, leader_, late);
  }
  Later(Timeouts(0, 200), [this] { CutOffLeader(); });
}

void Plots::CutOffLeader() {
  const bool hears = dice_.OneIn(3);
  world_.trace->Say("leader ", leader_.value(), hears ? " is mute now" : " is cut off");
  for (const NodeId node : followers_) {
    world_.network->Block(leader_, node);
    if (!hears) world_.network->Block(node, leader_);
  }
  ReportLeaderDown(followers_);
  ReadAndWrite();
  Later(Timeouts(100, 300), [this] { Finish(); });
}

// Who has promised nothing to the leader for long, because it was cut off, is elected by those who
// have, and who were started anew since.
void Plots::Strangers() {
  world_.coverage->Met(Fault::kStrangers);
  // Or the logs of the strangers would be too old.
  clients_->OnlyRead(true);
  confidants_ = followers_;
  strangers_ = Take(machines_->size() - MajorityLess(0), &confidants_);
  Later(Timeouts(10, 100), [this] { MakeStrangers(); });
}

void Plots::MakeStrangers() {
  for (const NodeId stranger : strangers_) {
    world_.trace->Say("node ", stranger.value(), " does not hear the leader any more");
    BlockBothWays(leader_, stranger);
  }
  const absl::Duration promise = world_.options->core.VotePromise();
  Later(promise + Timeouts(0, 40), [this] { RestartConfidants(); });
}

void Plots::RestartConfidants() {
  for (const NodeId confidant : confidants_) {
    Restart(confidant);
    BlockBothWays(leader_, confidant);
  }
  ReportLeaderDown(strangers_);
  ReadAndWrite();
  Later(Timeouts(100, 200), [this] { Finish(); });
}

// ---- a leader that hands over hears nothing any more

void Plots::Handover() {
  world_.coverage->Met(Fault::kHandover);
  clients_->OnlyRead(dice_.OneIn(2));  // a successor that lags would not be asked
  Later(Timeouts(0, 30), [this] {
    const NodeId successor = followers_[dice_.Below(followers_.size())];
    const bool late = dice_.OneIn(2);
    const absl::Duration most = late ? Timeouts(10, 90) : world_.options->network.delay_most;
    if (late) world_.network->SlowDown(leader_, successor, most);
    Machine* const machine = MachineOf(leader_);
    if (!machine->up()) return Finish();
    machine->node()->TransferLeadership(
        successor, machine->Now() + world_.options->core.election_timeout, [](absl::Status) {});
    Later(dice_.Between(absl::ZeroDuration(), most), [this] { MakeLeaderDeaf(); });
  });
}

void Plots::MakeLeaderDeaf() {
  world_.trace->Say("leader ", leader_.value(), " is deaf");
  for (const NodeId node : followers_) world_.network->Block(node, leader_);
  ReadAndWrite();
  Later(Timeouts(100, 300), [this] { Finish(); });
}

// ---- figure 8 of the paper, 3.7 of the thesis

// A leader gets entries onto its own disk only; a rival is elected, and gets no further with its
// own entry; the leader is elected once more and spreads its old entries to a quorum, but nothing
// of its new term; and the rival, whose log is newer than all of that, is elected again.
void Plots::FigureEight() {
  world_.coverage->Met(Fault::kFigureEight);
  world_.trace->Say("leader ", leader_.value(), " keeps its entries to itself");
  act_ = Act::kRivalIsElected;
  returned_term_ = Term();
  no_ops_ = {};
  CutOff(leader_);
  for (uint64_t i = dice_.Between(1, 3); i > 0 && MachineOf(leader_)->up(); --i) {
    clients_->Probe(MachineOf(leader_), Timeouts(50, 100), [](Told) {});
  }
  ReportLeaderDown(followers_);
  Later(Timeouts(1000, 1500), [this] { Finish(); });
}

void Plots::OnSent(const raft::Message& message) {
  if (act_ == Act::kNone || !IsOfLeader(message)) return;
  const bool may_lead = message.term > std::max(term_, returned_term_);
  if (act_ == Act::kLeaderSpreads && message.term == returned_term_) {
    OnAppendOfReturned(message);
  } else if (may_lead) {
    OnSuccessor(message.from, message.term);
  }
}

void Plots::OnSuccessor(NodeId node, Term term) {
  const Act act = std::exchange(act_, Act::kNone);
  if (act == Act::kRivalIsElected && node != leader_) {
    rival_ = node;
    term_ = term;
    Later(absl::ZeroDuration(), [this] { IsolateRival(); });
  } else if (act == Act::kLeaderIsElected && node == leader_) {
    world_.trace->Say("leader ", leader_.value(), " is back");
    returned_term_ = term;
    act_ = Act::kLeaderSpreads;
  } else if (act == Act::kRivalReturns && node == rival_) {
    world_.coverage->Reached(Path::kRivalReturned);
    Later(Timeouts(0, 50), [this] { Finish(); });
  } else {
    Later(absl::ZeroDuration(), [this] { Finish(); });
  }
}

// What it sent of its first entry has not arrived anywhere.
void Plots::IsolateRival() {
  world_.trace->Say("its rival is ", rival_.value());
  CutOff(rival_);
  if (dice_.OneIn(2)) Restart(leader_);
  // Just as many as make a quorum, so that none of them can be elected without the leader, whose
  // log is newer.
  strangers_ = followers_;
  std::erase(strangers_, rival_);
  confidants_ = Take(MajorityLess(1), &strangers_);
  for (const NodeId node : strangers_) CutOff(node);
  Later(Timeouts(1, 30), [this] { ReturnLeader(); });
}

void Plots::ReturnLeader() {
  act_ = Act::kLeaderIsElected;
  for (const NodeId node : confidants_) {
    UnblockBothWays(leader_, node);
    world_.network->ReportDown(node, rival_);
  }
}

// The first time that it sends its new entry, this asks where the logs agree. When it sends it
// again the follower has the entries before it. It is not to get this one.
void Plots::OnAppendOfReturned(const raft::Message& message) {
  const auto* request = std::get_if<raft::AppendRequest>(&message.body);
  if (request == nullptr || request->entries.empty()) return;
  if (request->entries.back().term != returned_term_) return;
  if (++no_ops_[message.to.value()] != 2) return;
  Later(absl::ZeroDuration(), [this, to = message.to] { world_.network->Block(leader_, to); });
  const bool all_have = std::all_of(confidants_.begin(), confidants_.end(),
                                    [this](NodeId node) { return no_ops_[node.value()] >= 2; });
  if (!all_have) return;
  act_ = Act::kNone;
  Later(Timeouts(1, 20), [this] { ReturnRival(); });
}

void Plots::ReturnRival() {
  world_.trace->Say("leader ", leader_.value(), " goes, and rival ", rival_.value(), " returns");
  act_ = Act::kRivalReturns;
  CutOff(leader_);
  for (const NodeId a : followers_) {
    for (const NodeId b : followers_) world_.network->Unblock(a, b);
  }
  ReportLeaderDown(followers_);
}

// ---- what plots are made of

void Plots::ReadAndWrite() {
  ReadAtLeader(raft::ReadMode::kLease);
  ReadAtLeader(raft::ReadMode::kQuorum);
  WriteElsewhere();
  WriteElsewhere();
}

void Plots::ReadAtLeader(raft::ReadMode mode) {
  Machine* const machine = MachineOf(leader_);
  if (!machine->up() || machine->paused()) return;
  const raft::ReplicaStatus status = machine->node()->Status();
  if (status.role == raft::Role::kLeader && status.term < world_.referee->newest_term()) {
    world_.coverage->Reached(Path::kReadAtReplacedLeader);
  }
  clients_->Read(machine, mode, Timeouts(10, 50), [this, mode, number = number_] {
    if (ended_ || number != number_) return;
    Later(dice_.Skewed(absl::Microseconds(20), Timeouts(2, 4)),
          [this, mode] { ReadAtLeader(mode); });
  });
}

void Plots::WriteElsewhere() {
  Machine* const machine = MachineOf(followers_[dice_.Below(followers_.size())]);
  const auto again = [this, number = number_](Told) {
    if (ended_ || number != number_) return;
    Later(dice_.Skewed(absl::Microseconds(20), Timeouts(2, 6)), [this] { WriteElsewhere(); });
  };
  if (!machine->up()) return again(Told::kNothing);
  clients_->Probe(machine, Timeouts(5, 50), again);
}

void Plots::ReportLeaderDown(const Nodes& to) {
  for (const NodeId node : to) {
    if (dice_.OneIn(5)) continue;
    Later(dice_.Skewed(absl::Microseconds(1), Timeouts(1, 5)),
          [this, node] { world_.network->ReportDown(node, leader_); });
  }
}

void Plots::BlockBothWays(NodeId a, NodeId b) {
  world_.network->Block(a, b);
  world_.network->Block(b, a);
}

void Plots::UnblockBothWays(NodeId a, NodeId b) {
  world_.network->Unblock(a, b);
  world_.network->Unblock(b, a);
}

void Plots::CutOff(NodeId node) {
  for (const auto& other : *machines_) {
    if (other->id() != node) BlockBothWays(node, other->id());
  }
}

void Plots::Restart(NodeId node) {
  Machine* const machine = MachineOf(node);
  machine->CrashProcess();
  // Also if the plot is over by then.
  world_.loop->After(dice_.Skewed(absl::Microseconds(1), Timeouts(1, 20)), [this, machine] {
    if (!ended_ && !machine->up() && !machine->removed()) machine->Start();
  });
}

}  // namespace pontoon::sim
