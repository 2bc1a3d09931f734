// Compactor: a user of a simulated cluster who forgets the past, and one who looks for it.

#ifndef PONTOON_TESTS_SIM_COMPACTOR_H_
#define PONTOON_TESTS_SIM_COMPACTOR_H_

#include <cstddef>

#include "absl/time/time.h"
#include "tests/sim/clients.h"
#include "tests/sim/dice.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"
#include "tests/sim/proposals.h"

namespace pontoon::sim {

// Compacts the history, mostly to a revision a little behind the present one, sometimes to one that
// must be refused; and reads keys at revisions of which some are compacted and some are yet to
// come. A read shows what the key held at that revision, or is refused if and only if the state
// that it reads is compacted beyond the revision, or does not reach it. Only where the nodes have
// the real store.
//
// A failed check ends the process.
//
// Thread safety: none.
class Compactor {
 public:
  Compactor(const World& world, Machines* machines, const Ledger* ledger);

  void Start();
  // It begins nothing more.
  void Stop() { stopped_ = true; }
  // Calls that are not answered yet.
  size_t open() const { return proposals_.open() + open_reads_; }

 private:
  void CompactLater();
  void ReadLater();
  absl::Duration DrawTimeout();
  void Compact(Machine* machine);
  void Read(Machine* machine);
  void OnReadable(const Machine& machine);
  int64_t DrawRevision();

  const World world_;
  const Ledger* const ledger_;
  Proposals proposals_;
  Dice dice_;
  size_t open_reads_ = 0;
  bool stopped_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_COMPACTOR_H_
