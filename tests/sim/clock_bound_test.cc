// What a lease read is worth where clocks are worse than the nodes are told: nothing. It shows that
// the oracle of lease reads sees what it is there for, and that the bound is what they rest on.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "raft/env/log.h"
#include "tests/sim/simulation.h"

namespace pontoon::sim {
namespace {

constexpr uint64_t kSeeds = 400;
// How wrong the clocks are, one way or the other.
constexpr int64_t kRatePpm = 300'000;

// Runs that are about clocks: each runs as wrong as the nodes are told that it may.
std::optional<SimOptions> AtTheBound(uint64_t seed) {
  SimOptions options = SimOptions::FromSeed(seed);
  const bool leases = options.core.lease_duration > absl::ZeroDuration();
  if (!options.clocks_at_the_bound || !leases) return std::nullopt;
  return options;
}

// What the check said that ended the run; empty if it ended well.
std::string FailureOf(const SimOptions& options) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    RunSimulation(options);
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char bytes[4096];
  for (ssize_t size; (size = read(ends[0], bytes, sizeof(bytes))) > 0;) {
    text.append(bytes, static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status == 0 ? "" : text;
}

TEST(ClockBoundTest, BeyondTheBoundALeaseReadIsStaleAndIsSeenToBe) {
  InitLogging({.level = LogLevel::kError});
  ShutdownLogging();
  uint64_t runs = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::optional<SimOptions> options = AtTheBound(seed);
    if (!options.has_value()) continue;
    ++runs;
    options->clock_rate_ppm_most = kRatePpm;
    const std::string failure = FailureOf(*options);
    if (failure.find("is stale") == std::string::npos) {
      ASSERT_EQ(failure, "") << "seed " << seed << " breaks something else";
      continue;
    }
    EXPECT_EQ(FailureOf(*AtTheBound(seed)), "") << "within the bound nothing is stale";
    return;
  }
  FAIL() << "none of " << runs << " runs had a stale read";
}

}  // namespace
}  // namespace pontoon::sim
