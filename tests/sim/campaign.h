// Campaign: many runs, in several processes, and what came of them.

#ifndef PONTOON_TESTS_SIM_CAMPAIGN_H_
#define PONTOON_TESTS_SIM_CAMPAIGN_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "tests/sim/simulation.h"

namespace pontoon::sim {

struct CampaignOptions {
  uint64_t first_seed = 1;
  uint64_t last_seed = std::numeric_limits<uint64_t>::max();
  absl::Duration time_most = absl::InfiniteDuration();  // no run begins later than that
  size_t jobs = 1;
  // One run in so many is made twice, and must be the same.
  uint64_t repeat_one_in = 50;
  // Ends after so many failures.
  uint64_t failures_most = 1;
};

// The sums over all runs that ended well.
struct Totals {
  uint64_t runs = 0;
  uint64_t repeated = 0;
  uint64_t events = 0;
  uint64_t operations = 0;
  uint64_t writes_acknowledged = 0;
  uint64_t reads_checked = 0;
  uint64_t entries = 0;
  uint64_t terms = 0;
  uint64_t leaders = 0;
  int64_t simulated_ms = 0;
  int64_t healing_ms_most = 0;
  int64_t cpu_ms = 0;
  Coverage coverage;

  void Add(const RunResult& result);
  void Add(const Totals& other);
};

struct CampaignResult {
  Totals totals;
  uint64_t failures = 0;
  absl::Duration took;
};

// Runs each seed in one of `jobs` processes. For each that fails one line on stdout says how to see
// it again; what failed is on stderr.
CampaignResult RunCampaign(const CampaignOptions& options);

// In words, over several lines.
std::string Summary(const CampaignResult& result);

// Whether every Path was reached.
bool ReachedAll(const Coverage& coverage);

// One run; with `repeat` it is made a second time, and the process ends if that differs.
enum class Repeat { kNo, kYes };
RunResult RunSeed(uint64_t seed, Repeat repeat);

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_CAMPAIGN_H_
