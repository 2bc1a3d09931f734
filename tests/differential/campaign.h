// Campaign: many programs, and what came of them.

#ifndef PONTOON_TESTS_DIFFERENTIAL_CAMPAIGN_H_
#define PONTOON_TESTS_DIFFERENTIAL_CAMPAIGN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "tests/differential/compare.h"
#include "tests/differential/duel.h"
#include "tests/differential/generator.h"

namespace pontoon::differential {

struct CampaignOptions {
  Contestant contestant;
  uint64_t first_seed = 1;
  size_t programs = 1000;  // each with the seed after the one before
  size_t jobs = 1;         // each with an etcd and a Pontoon of its own
  absl::Duration time_most = absl::InfiniteDuration();  // no program begins later than that
  size_t failures_most = 1;                             // ends after so many
  GeneratorOptions generator;
};

struct CampaignResult {
  size_t programs = 0;
  size_t failures = 0;                     // programs that differ, or servers that do not start
  std::map<std::string, CallCount> calls;  // compared, by their kind
  std::map<std::string, size_t> known;     // differences that were expected, by their name
  absl::Duration took;
};

// For each program that differs, its seed, its text, the least that differs of it, and the
// difference go to stdout; so does, now and then, how far it is.
CampaignResult RunCampaign(const CampaignOptions& options);

// In words, over several lines. The last one begins with "PASSED" or "FAILED".
std::string Summary(const CampaignResult& result);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_CAMPAIGN_H_
