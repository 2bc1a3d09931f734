// OnceWriters: users of a simulated cluster who send a write until they have its answer.

#ifndef PONTOON_TESTS_SIM_ONCE_WRITERS_H_
#define PONTOON_TESTS_SIM_ONCE_WRITERS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "tests/sim/clients.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"
#include "tests/sim/proposals.h"

namespace pontoon::sim {

// Each has a session, which is a lease that nobody renews, and a lock, which is a key that hangs on
// it, and that is taken away now and then. Its writes are named by the session, and some are behind
// the fence of the lock. What has an unknown outcome, and now and then what is answered, is sent
// again, to any node, with what it had of answers then or has now; also when the session is over.
// What must come of that says the OnceModel. Only where the nodes have the real store.
//
// Thread safety: none.
class OnceWriters {
 public:
  OnceWriters(const World& world, Machines* machines, const Ledger* ledger);
  ~OnceWriters();

  void Start();
  // They begin nothing more.
  void Stop() { stopped_ = true; }
  // Writes that are not answered yet.
  size_t open() const { return proposals_.open(); }

 private:
  class Writer;

  const World world_;
  const Ledger* const ledger_;
  Proposals proposals_;
  std::vector<std::unique_ptr<Writer>> writers_;
  bool stopped_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_ONCE_WRITERS_H_
