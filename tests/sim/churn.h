// Churn: operators who change the membership of a simulated cluster all the time.

#ifndef PONTOON_TESTS_SIM_CHURN_H_
#define PONTOON_TESTS_SIM_CHURN_H_

#include <vector>

#include "raft/base/membership_change.h"
#include "raft/node/replica.h"
#include "tests/sim/clients.h"
#include "tests/sim/dice.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"

namespace pontoon::sim {

// Asks some member for some change, sensible or not: spare machines are added, learners promoted,
// voters demoted, anybody removed, the leader too, or replaced by another one in one step. A node
// that was removed does not come back under its name.
//
// Thread safety: none.
class Churn {
 public:
  Churn(const World& world, Machines* machines, const Ledger* ledger);

  void Start();
  // It begins nothing more.
  void Stop() { stopped_ = true; }
  // Changes that are not answered yet.
  size_t open() const { return open_; }

 private:
  void Wait();
  void Act();
  std::vector<MembershipChange> Draw();
  NodeId AnyNode() { return NodeId(dice_.Between(1, machines_->size())); }
  NodeId AnyOf(const std::vector<NodeId>& nodes);
  void OnOutcome(NodeId asked, const raft::ChangeOutcome& outcome);

  const World world_;
  Machines* const machines_;
  const Ledger* const ledger_;
  Dice dice_;
  size_t open_ = 0;
  bool stopped_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_CHURN_H_
