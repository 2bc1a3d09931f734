// A short slice of the seeds, for every change; //tests/sim:sim runs as many as there is time for.

#include "tests/sim/campaign.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

#include "raft/env/log.h"

namespace pontoon::sim {
namespace {

constexpr uint64_t kSlices = 16;
// Sanitizers make a run many times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeedsOfSlice = 2;
#else
constexpr uint64_t kSeedsOfSlice = 50;
#endif

// The seed that is running, for the case that a failed check ends the process.
volatile uint64_t running_seed = 0;

void PrintSeed(int) {
  std::fprintf(stderr, "FAILED: bazel run //tests/sim:sim -- --seed %llu --trace\n",
               static_cast<unsigned long long>(running_seed));
}

class CampaignTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGABRT, PrintSeed);
    InitLogging({.level = LogLevel::kError});
    ShutdownLogging();
  }
};

TEST_P(CampaignTest, Holds) {
  Totals totals;
  const uint64_t first = GetParam() * kSeedsOfSlice + 1;
  for (uint64_t seed = first; seed < first + kSeedsOfSlice; ++seed) {
    running_seed = seed;
    totals.Add(RunSeed(seed, seed == first ? Repeat::kYes : Repeat::kNo));
  }
  EXPECT_GT(totals.writes_acknowledged, 0u);
  EXPECT_GT(totals.reads_checked, 0u);
}

INSTANTIATE_TEST_SUITE_P(Slice, CampaignTest, ::testing::Range(uint64_t{0}, kSlices));

TEST(SeedTest, DecidesEverything) {
  EXPECT_EQ(RunSeed(1, Repeat::kNo).digest, RunSeed(1, Repeat::kNo).digest);
  EXPECT_NE(RunSeed(1, Repeat::kNo).digest, RunSeed(2, Repeat::kNo).digest);
}

}  // namespace
}  // namespace pontoon::sim
