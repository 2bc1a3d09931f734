// Simulation: one run of a cluster under faults, from a seed.
//
// The cluster is the production RaftNode, SegmentedLog and message codec, with either the
// production KvStore or, in most runs, a store in memory that behaves like it (opening and syncing
// LevelDB costs more than everything else). One thread runs it all: executors, clocks, network and
// disks are virtual, and the same seed gives the same run.
//
//   safety phase    faults of all kinds that the seed has switched on, while clients work
//   liveness phase  the faults end and a quorum is up: a leader must be there within
//                   kElectionsMax election timeouts, writes at every node must succeed, all nodes
//                   must come to the same state, and the leader must stay
//   the end         every client was answered; the histories of the keys are linearizable; the
//                   nodes' contents are those of the ledger
//
// What is checked on the way is in referee.h, ledger.h and clients.h. A failed check ends the
// process; nobody could say what the rest of the run means.

#ifndef PONTOON_TESTS_SIM_SIMULATION_H_
#define PONTOON_TESTS_SIM_SIMULATION_H_

#include <cstdint>

#include "absl/time/time.h"
#include "tests/sim/coverage.h"
#include "tests/sim/options.h"

namespace pontoon::sim {

// Within how many election timeouts there must be a leader again, and all nodes must agree.
inline constexpr int kElectionsMax = 10;

struct RunResult {
  uint64_t digest = 0;  // of everything that happened
  uint64_t events = 0;
  absl::Duration simulated;
  absl::Duration healing;  // until a leader was there again
  uint64_t operations = 0;
  uint64_t writes_acknowledged = 0;
  uint64_t reads_checked = 0;
  uint64_t entries = 0;
  uint64_t terms = 0;
  uint64_t leaders = 0;
  Coverage coverage;
};

enum class Story { kUntold, kPrinted };

RunResult RunSimulation(const SimOptions& options, Story story = Story::kUntold);

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_SIMULATION_H_
