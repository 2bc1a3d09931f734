// Runs random programs of API calls on etcd and on Pontoon, and compares all that they answer.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/time/time.h"
#include "tests/differential/campaign.h"
#include "tests/differential/generator.h"
#include "tests/differential/program.h"

namespace pontoon::differential {
namespace {

int Main(int argc, char** argv) {
  CampaignOptions options;
  std::string groups = "kv,txn,compact,lease,watch,status";
  double seconds = 0;
  bool show = false;
  bool twin = false;
  CLI::App app(
      "Runs random programs of etcd v3 calls on the etcd in PATH and on Pontoon, and compares all "
      "answers. The environment variable TESTED_SERVER names Pontoon's program, if it is "
      "elsewhere.");
  app.add_option("--programs", options.programs, "Run so many")->capture_default_str();
  app.add_option("--seed", options.first_seed, "Of the first program; each has one more")
      ->capture_default_str();
  app.add_option("--calls-per-program", options.generator.calls, "")->capture_default_str();
  app.add_option("--calls", groups, "Groups of calls that programs are made of")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "Pairs of servers")->capture_default_str();
  app.add_option("--seconds", seconds, "Begin no program after so many seconds");
  app.add_option("--failures", options.failures_most, "End after so many programs that differ")
      ->capture_default_str();
  app.add_flag("--twin", twin, "Hold a second etcd against the first, in Pontoon's place");
  app.add_flag("--show", show, "Print the first program, and run nothing");
  CLI11_PARSE(app, argc, argv);

  const absl::StatusOr<CallGroups> parsed = ParseCallGroups(groups);
  if (!parsed.ok()) {
    std::fprintf(stderr, "--calls: %s\n", std::string(parsed.status().message()).c_str());
    return 2;
  }
  options.generator.groups = *parsed;
  if (twin) options.contestant.program = testing::Program::kEtcd;
  if (seconds > 0) options.time_most = absl::Seconds(seconds);
  if (show) {
    std::fputs(TextOf(MakeProgram(options.first_seed, options.generator)).c_str(), stdout);
    return 0;
  }
  const CampaignResult result = RunCampaign(options);
  std::fputs(Summary(result).c_str(), stdout);
  return result.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pontoon::differential

int main(int argc, char** argv) { return pontoon::differential::Main(argc, argv); }
