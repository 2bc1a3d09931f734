// Plots: troubles in several steps, each against one rule that chance alone hardly ever puts to the
// test.

#ifndef PONTOON_TESTS_SIM_PLOTS_H_
#define PONTOON_TESTS_SIM_PLOTS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "raft/core/message.h"
#include "tests/sim/clients.h"
#include "tests/sim/coverage.h"
#include "tests/sim/dice.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/machine.h"
#include "tests/sim/options.h"

namespace pontoon::sim {

// Draws one plot after another, as the options weigh them. In each of them a leader is replaced, or
// a follower may be made to believe so, while clients go on reading at the leader, with leases and
// without, and others write where its successor hears it.
//
// Thread safety: none.
class Plots {
 public:
  Plots(const World& world, Machines* machines, Clients* clients);

  void Start();
  // Ends the plot that is under way. Whoever heals the network and the machines does that after it.
  void End();
  // Sees each message as its sender lets go of it.
  void OnSent(const raft::Message& message);

 private:
  using Nodes = std::vector<NodeId>;

  void Wait();
  void Begin();
  Plot Draw();
  void Finish();
  // Runs `task` later, unless the plot has ended meanwhile.
  void Later(absl::Duration delay, Task task);
  // Between two shares of an election timeout, in percent.
  absl::Duration Timeouts(uint64_t least_percent, uint64_t most_percent);

  void Usurpation();
  void Strangers();
  void Handover();
  void FigureEight();

  void CutOffLeader();
  void MakeStrangers();
  void RestartConfidants();
  void MakeLeaderDeaf();
  void OnSuccessor(NodeId node, Term term);
  void IsolateRival();
  void ReturnLeader();
  void OnAppendOfReturned(const raft::Message& message);
  void ReturnRival();

  void ReadAndWrite();
  void ReadAtLeader(raft::ReadMode mode);
  void WriteElsewhere();
  void ReportLeaderDown(const Nodes& to);
  void BlockBothWays(NodeId a, NodeId b);
  void UnblockBothWays(NodeId a, NodeId b);
  void CutOff(NodeId node);
  void Restart(NodeId node);

  Machine* MachineOf(NodeId node) { return (*machines_)[node.value() - 1].get(); }
  size_t MajorityLess(size_t nodes) const { return machines_->size() / 2 + 1 - nodes; }
  // Takes `count` of `nodes`, drawn at random.
  Nodes Take(size_t count, Nodes* nodes);

  const World world_;
  Machines* const machines_;
  Clients* const clients_;
  Dice dice_;
  uint64_t weight_sum_ = 0;
  bool ended_ = false;

  // Of the present plot.
  uint64_t number_ = 0;  // counts the plots and their ends
  NodeId leader_;
  Term term_;        // in which it leads
  Nodes followers_;  // everybody else
  Nodes strangers_;
  Nodes confidants_;

  // Of a figure 8, which goes on when somebody is elected.
  enum class Act { kNone, kRivalIsElected, kLeaderIsElected, kLeaderSpreads, kRivalReturns };
  Act act_ = Act::kNone;
  NodeId rival_;
  Term returned_term_;                            // of the leader when it is elected once more
  std::array<uint64_t, kNodesMax + 1> no_ops_{};  // how often each was sent its first entry
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_PLOTS_H_
