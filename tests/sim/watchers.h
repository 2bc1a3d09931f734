// Watchers: users of a simulated cluster who want to hear of every change.

#ifndef PONTOON_TESTS_SIM_WATCHERS_H_
#define PONTOON_TESTS_SIM_WATCHERS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kv/watch/watch_hub.h"
#include "proto/rpc.pb.h"
#include "tests/sim/clients.h"
#include "tests/sim/dice.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/ledger.h"
#include "tests/sim/operation.h"
#include "tests/sim/options.h"
#include "tests/sim/trace.h"

namespace pontoon::sim {

// Each watches one key or all of them at some node, from where it has come; it goes to another node
// when its own dies, and sometimes without need; some are slow to take what they are sent. What it
// hears is checked at once against the ledger: every change of its keys, in order, each once, none
// that was not made; and a response that tells of progress leaves nothing behind it. Only where the
// nodes have the real store, since it is that store's hub that is tried.
//
// A failed check ends the process.
//
// Thread safety: none.
class Watchers {
 public:
  Watchers(const SimOptions& options, EventLoop* loop, Machines* machines, const Ledger* ledger,
           const Trace* trace);
  ~Watchers();

  void Start();
  // Whether each has heard of everything. From then on all stay where they are, as long as that
  // lives, and take what comes.
  bool HaveHeardEverything();

 private:
  class Watcher;

  std::vector<std::unique_ptr<Watcher>> watchers_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_WATCHERS_H_
