// Runs simulations: one seed with its story, or many. See docs/simulation.md.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "raft/env/log.h"
#include "tests/sim/campaign.h"
#include "tests/sim/simulation.h"

namespace pontoon::sim {
namespace {

// With so many runs every Path must have been reached.
constexpr uint64_t kRunsThatReachAll = 1000;

struct Flags {
  uint64_t seed = 0;
  std::string seeds;
  double minutes = 0;
  bool trace = false;
  CampaignOptions campaign;
};

bool ParseSeeds(const std::string& text, CampaignOptions* campaign) {
  const std::pair<std::string, std::string> range = absl::StrSplit(text, "..");
  return absl::SimpleAtoi(range.first, &campaign->first_seed) &&
         absl::SimpleAtoi(range.second, &campaign->last_seed) &&
         campaign->first_seed <= campaign->last_seed;
}

int RunOne(const Flags& flags) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a story is told up to where it breaks off
  const SimOptions options = SimOptions::FromSeed(flags.seed);
  const RunResult result = RunSimulation(options, flags.trace ? Story::kPrinted : Story::kUntold);
  std::printf("%s\nseed %llu ended well; digest %016llx, %llu events\n", options.Describe().c_str(),
              static_cast<unsigned long long>(flags.seed),
              static_cast<unsigned long long>(result.digest),
              static_cast<unsigned long long>(result.events));
  return 0;
}

int RunMany(const Flags& flags) {
  CampaignOptions options = flags.campaign;
  if (!flags.seeds.empty() && !ParseSeeds(flags.seeds, &options)) {
    std::fprintf(stderr, "--seeds wants a range such as 1..1000\n");
    return 2;
  }
  if (flags.minutes > 0) options.time_most = absl::Minutes(1) * flags.minutes;
  if (flags.seeds.empty() && flags.minutes <= 0) options.last_seed = kRunsThatReachAll;
  const CampaignResult result = RunCampaign(options);
  std::fputs(Summary(result).c_str(), stdout);
  if (result.failures > 0) return 1;
  if (result.totals.runs >= kRunsThatReachAll && !ReachedAll(result.totals.coverage)) {
    std::printf("FAILED: something was never reached\n");
    return 1;
  }
  return 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Simulates clusters under faults. Without a range of seeds: 1..1000.");
  app.add_option("--seed", flags.seed, "Run this one seed");
  app.add_option("--seeds", flags.seeds, "Run these seeds: FIRST..LAST");
  app.add_option("--minutes", flags.minutes, "Begin no run after so many minutes");
  app.add_flag("--trace", flags.trace, "With --seed: tell what happens");
  app.add_option("--jobs", flags.campaign.jobs, "Processes")->capture_default_str();
  app.add_option("--failures", flags.campaign.failures_most, "End after so many failures")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  // What nodes log of themselves is of no use here, and slow.
  InitLogging({.level = LogLevel::kError});
  ShutdownLogging();
  return flags.seed != 0 ? RunOne(flags) : RunMany(flags);
}

}  // namespace
}  // namespace pontoon::sim

int main(int argc, char** argv) { return pontoon::sim::Main(argc, argv); }
