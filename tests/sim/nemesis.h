// Nemesis: makes trouble, as much and of such kinds as the options say.

#ifndef PONTOON_TESTS_SIM_NEMESIS_H_
#define PONTOON_TESTS_SIM_NEMESIS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/sim/clients.h"
#include "tests/sim/coverage.h"
#include "tests/sim/dice.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/machine.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/referee.h"
#include "tests/sim/trace.h"

namespace pontoon::sim {

// Thread safety: none.
class Nemesis {
 public:
  Nemesis(const World& world, Machines* machines);

  void Start();
  // Ends its work and all faults that go on. Everybody is started again, but for a minority if the
  // options say so.
  void HealAll();

 private:
  void Wait();
  void MakeTrouble();
  Trouble DrawTrouble();
  void Do(Trouble trouble);

  // What nodes cannot hear, in shapes that have hurt real systems (OmniPaxos, section 2; the outage
  // of Cloudflare on 2020-11-02).
  void Partition();
  void Isolate(NodeId node);
  void Split();
  void OneWay();
  void Chain();
  void Bridge();
  void QuorumLoss();
  void RandomLinks();
  void BlockBothWays(NodeId a, NodeId b);

  void PauseOne();
  void StallDisk();
  void SlowApply();
  void AllPowerLost();
  void LoseState();
  void FillDisk();
  void RotLog();
  void TransferLeadership();
  void WatchMachines();
  void StartIfDown(Machine* machine);

  // Often the leader: the worst one to lose.
  Machine* Victim();
  NodeId AnyNode() { return NodeId(dice_.Between(1, machines_->size())); }
  absl::Duration Downtime();
  // Runs `task` later, unless all was healed meanwhile.
  void Later(absl::Duration delay, Task task);

  const World world_;
  Machines* const machines_;
  Dice dice_;
  uint64_t weight_sum_ = 0;
  uint64_t partition_ = 0;                      // the newest one
  std::array<bool, kNodesMax + 1> restarts_{};  // whether the start of a machine is planned
  bool healed_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_NEMESIS_H_
