#include "tests/sim/churn.h"

#include <utility>
#include <variant>

#include "tests/sim/fingerprint.h"

namespace pontoon::sim {

Churn::Churn(const World& world, Machines* machines, const Ledger* ledger)
    : world_(world),
      machines_(machines),
      ledger_(ledger),
      dice_(Mix(world.options->seed, "churn")) {}

void Churn::Start() {
  if (world_.options->change_every > absl::ZeroDuration()) Wait();
}

void Churn::Wait() {
  world_.loop->After(dice_.Between(absl::Microseconds(1), world_.options->change_every * 2),
                     [this] {
                       if (stopped_) return;
                       Act();
                       Wait();
                     });
}

void Churn::Act() {
  Machine* const machine = (*machines_)[AnyNode().value() - 1].get();
  std::vector<MembershipChange> changes = Draw();
  if (!machine->up() || machine->paused() || changes.empty()) return;
  if (!ledger_->memberships().latest().membership.IsLasting(machine->id())) return;
  world_.coverage->Met(Fault::kChangeAsked);
  ++open_;
  const Instant deadline =
      machine->Now() + dice_.Between(absl::Milliseconds(100), absl::Seconds(5));
  machine->node()->ChangeMembership(
      std::move(changes), deadline,
      [this, id = machine->id()](raft::ChangeOutcome outcome) { OnOutcome(id, outcome); });
}

NodeId Churn::AnyOf(const std::vector<NodeId>& nodes) {
  return nodes.empty() || dice_.OneIn(10) ? AnyNode() : nodes[dice_.Below(nodes.size())];
}

// Aims at what the cluster is thought to be, which may be out of date.
std::vector<MembershipChange> Churn::Draw() {
  using Kind = MembershipChange::Kind;
  const Membership& now = ledger_->memberships().latest().membership;
  std::vector<NodeId> spare;
  for (const auto& machine : *machines_) {
    if (!ledger_->WasEverMember(machine->id())) spare.push_back(machine->id());
  }
  std::vector<MembershipChange> changes;
  const auto add = [&](Kind kind) {
    if (!spare.empty()) changes.push_back({kind, spare[dice_.Below(spare.size())]});
  };
  switch (dice_.Below(8)) {
    case 0:
    case 1:
      add(Kind::kAddVoter);
      break;
    case 2:
      add(Kind::kAddLearner);
      break;
    case 3:
    case 4:
      changes.push_back({Kind::kPromote, AnyOf(now.learners)});
      break;
    case 5:
      changes.push_back({Kind::kDemote, AnyOf(now.voters)});
      break;
    case 6:
      changes.push_back({Kind::kRemove, AnyOf(now.AllNodes())});
      break;
    case 7:
      changes.push_back({Kind::kPromote, AnyOf(now.learners)});
      changes.push_back({dice_.OneIn(2) ? Kind::kRemove : Kind::kDemote, AnyOf(now.voters)});
      break;
  }
  return changes;
}

void Churn::OnOutcome(NodeId asked, const raft::ChangeOutcome& outcome) {
  --open_;
  if (std::holds_alternative<raft::ChangeMade>(outcome)) {
    world_.coverage->Reached(Path::kChangeMade);
  } else if (std::holds_alternative<raft::ChangeUnknown>(outcome)) {
    world_.coverage->Reached(Path::kChangeUnknown);
  }
  world_.loop->Note(Mix(asked.value(), outcome.index()));
}

}  // namespace pontoon::sim
