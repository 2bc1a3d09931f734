// Watchers: users of a simulated cluster who want to hear of every change.

#ifndef PONTOON_TESTS_SIM_WATCHERS_H_
#define PONTOON_TESTS_SIM_WATCHERS_H_

#include <memory>
#include <vector>

#include "tests/sim/clients.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"

namespace pontoon::sim {

// Each watches one key or all of them at some node, from where it has come; it goes to another node
// when its own dies, and sometimes without need; some are slow to take what they are sent. What it
// hears is checked at once against the ledger: every change of its keys, in order, each once, all
// of a revision together, none that was not made; and a response that tells of progress leaves
// nothing behind it. One that is told of a compaction needed what is before that, and goes on from
// there: of what is left it misses nothing. Only where the nodes have the real store, since it is
// that store's hub that is tried.
//
// A failed check ends the process.
//
// Thread safety: none.
class Watchers {
 public:
  Watchers(const World& world, Machines* machines, const Ledger* ledger);
  ~Watchers();

  void Start();
  // Whether each has heard of everything. From then on all stay where they are, as long as that
  // lives, and take what comes.
  bool HaveHeardEverything();

 private:
  class Watcher;

  const World world_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_WATCHERS_H_
