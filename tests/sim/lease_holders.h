// LeaseHolders: users of a simulated cluster whose keys live as long as they are heard of.

#ifndef PONTOON_TESTS_SIM_LEASE_HOLDERS_H_
#define PONTOON_TESTS_SIM_LEASE_HOLDERS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "tests/sim/clients.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/ledger.h"
#include "tests/sim/machine.h"
#include "tests/sim/operation.h"
#include "tests/sim/proposals.h"

namespace pontoon::sim {

// Each has a lease granted, hangs keys on it, renews it at the leader for a while, in time or too
// late, and then revokes it or lets it be, and takes another one. What comes of that is for the
// LeaseBook, the bookkeeper and the watchers to check. Only where the nodes have the real store,
// since it is that store, and its lessor, that are tried.
//
// Thread safety: none.
class LeaseHolders {
 public:
  LeaseHolders(const World& world, Machines* machines, Ledger* ledger);
  ~LeaseHolders();

  void Start();
  // They begin nothing more.
  void Stop() { stopped_ = true; }
  // Writes that are not answered yet.
  size_t open() const { return proposals_.open(); }

  // From now on nobody renews a lease, and there is a leader. One that is new has begun with what
  // is left of each lease by its last checkpoint, and an election timeout more; one that is not may
  // have granted all of its time again. `margin` is for all that is not the lease's time.
  enum class Leader { kNew, kSame };
  void ExpectEnds(Leader leader, absl::Duration margin);
  // Whether all leases have ended. None may be there for longer than expected.
  bool HaveEnded();

 private:
  class Holder;

  std::vector<LeaseId> LeasesOfAll() const;

  const World world_;
  Machines* const machines_;
  Ledger* const ledger_;
  Proposals proposals_;
  std::vector<std::unique_ptr<Holder>> holders_;
  Leader leader_ = Leader::kSame;
  absl::Duration margin_;
  std::map<LeaseId, SimTime> ends_;  // not after
  bool stopped_ = false;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_LEASE_HOLDERS_H_
