#include "tests/differential/campaign.h"

#include <cstdio>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "raft/base/check.h"
#include "tests/differential/compare.h"
#include "tests/differential/duel.h"
#include "tests/differential/known_differences.h"

namespace pontoon::differential {
namespace {

constexpr size_t kJobsMax = 64;
constexpr size_t kProgressEvery = 500;

void Say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

// The difference is looked for once more: what was found on a program as it was first, and cannot
// be found again, is as bad, but cannot be made smaller.
std::string Report(uint64_t seed, const Program& program, const Difference& difference,
                   Duel* duel) {
  std::string report =
      absl::StrCat("DIFFERS: seed ", seed, "\n", TextOf(program), difference.ToString());
  const Program least = duel->Shrink(program);
  const absl::StatusOr<Comparison> again = duel->Run(least);
  if (!again.ok() || !again->difference.has_value()) {
    return absl::StrCat(report, "It does not always: it did not when it was run again.\n");
  }
  return absl::StrCat(report, "The least that differs:\n", TextOf(least),
                      again->difference->ToString());
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options) : options_(options), begin_(absl::Now()) {
    CHECK(options.jobs >= 1 && options.jobs <= kJobsMax) << options.jobs;
  }

  CampaignResult Run() {
    std::vector<std::thread> workers;
    for (size_t i = 0; i < options_.jobs; ++i) workers.emplace_back([this] { Work(); });
    for (std::thread& worker : workers) worker.join();
    absl::MutexLock lock(&mutex_);
    result_.took = absl::Now() - begin_;
    return result_;
  }

 private:
  void Work() {
    Duel duel(options_.contestant);
    for (uint64_t seed; TakeSeed(&seed);) {
      const Program program = MakeProgram(seed, options_.generator);
      const absl::StatusOr<Comparison> comparison = duel.Run(program);
      if (!comparison.ok()) {
        Say(absl::StrCat("A server does not start: ", comparison.status().ToString(), "\n"));
        absl::MutexLock lock(&mutex_);
        ++result_.failures;
        return;
      }
      Count(*comparison);
      if (comparison->difference.has_value()) {
        Say(Report(seed, program, *comparison->difference, &duel));
      }
    }
  }

  bool TakeSeed(uint64_t* seed) {
    absl::MutexLock lock(&mutex_);
    if (begun_ == options_.programs || result_.failures >= options_.failures_most) return false;
    if (absl::Now() - begin_ > options_.time_most) return false;
    *seed = options_.first_seed + begun_++;
    return true;
  }

  void Count(const Comparison& comparison) {
    absl::MutexLock lock(&mutex_);
    ++result_.programs;
    if (comparison.difference.has_value()) ++result_.failures;
    for (const auto& [kind, count] : comparison.calls) {
      result_.calls[kind].calls += count.calls;
      result_.calls[kind].errors += count.errors;
    }
    for (const auto& [name, times] : comparison.known) result_.known[name] += times;
    if (result_.programs % kProgressEvery == 0) {
      Say(absl::StrFormat("%d programs, %.0f s\n", result_.programs,
                          absl::ToDoubleSeconds(absl::Now() - begin_)));
    }
  }

  const CampaignOptions options_;
  const absl::Time begin_;
  absl::Mutex mutex_;
  size_t begun_ ABSL_GUARDED_BY(mutex_) = 0;
  CampaignResult result_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

CampaignResult RunCampaign(const CampaignOptions& options) { return Campaign(options).Run(); }

std::string Summary(const CampaignResult& result) {
  std::string text = "calls compared:\n";
  size_t calls = 0;
  for (const auto& [kind, count] : result.calls) {
    absl::StrAppendFormat(&text, "  %-16s %8d, of these %d errors\n", kind, count.calls,
                          count.errors);
    calls += count.calls;
  }
  absl::StrAppend(&text, "differences that are known:\n");
  for (const KnownDifference& known : KnownDifferences()) {
    const auto found = result.known.find(known.name);
    absl::StrAppendFormat(&text, "  %8d %s\n", found == result.known.end() ? 0 : found->second,
                          known.name);
  }
  absl::StrAppendFormat(&text, "%s: %d programs, %d calls, %d programs differ, %.0f s\n",
                        result.failures == 0 ? "PASSED" : "FAILED", result.programs, calls,
                        result.failures, absl::ToDoubleSeconds(result.took));
  return text;
}

}  // namespace pontoon::differential
