#include "tests/sim/campaign.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "raft/base/check.h"

namespace pontoon::sim {
namespace {

constexpr size_t kJobsMax = 64;
// A run that takes longer hangs.
constexpr unsigned kRunSecondsMax = 300;

// In memory that the processes share: a worker that dies leaves what it did, and what it was at.
struct Worker {
  uint64_t seed = 0;
  Totals totals;
};
struct Board {
  std::atomic<uint64_t> next_seed = 0;
  Worker workers[kJobsMax];
};

Board* NewBoard() {
  void* const memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  return new (memory) Board;
}

int64_t CpuMs() {
  timespec cpu;
  CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu), 0);
  return cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000;
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options)
      : options_(options), begin_(absl::Now()), board_(NewBoard()) {
    CHECK(options.jobs >= 1 && options.jobs <= kJobsMax) << options.jobs;
    board_->next_seed = options.first_seed;
  }
  ~Campaign() { munmap(board_, sizeof(Board)); }

  CampaignResult Run() {
    for (size_t worker = 0; worker < options_.jobs; ++worker) Fork(worker);
    CampaignResult result;
    while (!workers_.empty()) {
      int status = 0;
      const pid_t pid = wait(&status);
      CHECK(pid > 0);
      const size_t worker = workers_.at(pid);
      workers_.erase(pid);
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      ++result.failures;
      std::printf("FAILED: bazel run //tests/sim:sim -- --seed %llu --trace\n",
                  static_cast<unsigned long long>(board_->workers[worker].seed));
      std::fflush(stdout);
      if (result.failures < options_.failures_most) {
        Fork(worker);
      } else {
        board_->next_seed = options_.last_seed;
        ++board_->next_seed;
      }
    }
    for (const Worker& worker : board_->workers) result.totals.Add(worker.totals);
    result.took = absl::Now() - begin_;
    return result;
  }

 private:
  void Fork(size_t worker) {
    std::fflush(stdout);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
      Work(&board_->workers[worker]);
      std::_Exit(0);
    }
    workers_[pid] = worker;
  }

  void Work(Worker* worker) {
    while (absl::Now() - begin_ < options_.time_most) {
      const uint64_t seed = board_->next_seed.fetch_add(1);
      if (seed > options_.last_seed) return;
      worker->seed = seed;
      alarm(kRunSecondsMax);
      const int64_t cpu_before = CpuMs();
      const bool repeat = seed % options_.repeat_one_in == 0;
      const RunResult result = RunSeed(seed, repeat ? Repeat::kYes : Repeat::kNo);
      worker->totals.Add(result);
      if (repeat) ++worker->totals.repeated;
      worker->totals.cpu_ms += (CpuMs() - cpu_before) / (repeat ? 2 : 1);
    }
  }

  const CampaignOptions options_;
  const absl::Time begin_;
  Board* const board_;
  std::map<pid_t, size_t> workers_;
};

}  // namespace

void Totals::Add(const RunResult& result) {
  ++runs;
  events += result.events;
  operations += result.operations;
  writes_acknowledged += result.writes_acknowledged;
  reads_checked += result.reads_checked;
  entries += result.entries;
  terms += result.terms;
  leaders += result.leaders;
  simulated_ms += absl::ToInt64Milliseconds(result.simulated);
  healing_ms_most = std::max(healing_ms_most, absl::ToInt64Milliseconds(result.healing));
  coverage.Add(result.coverage);
}

void Totals::Add(const Totals& other) {
  runs += other.runs;
  repeated += other.repeated;
  events += other.events;
  operations += other.operations;
  writes_acknowledged += other.writes_acknowledged;
  reads_checked += other.reads_checked;
  entries += other.entries;
  terms += other.terms;
  leaders += other.leaders;
  simulated_ms += other.simulated_ms;
  healing_ms_most = std::max(healing_ms_most, other.healing_ms_most);
  cpu_ms += other.cpu_ms;
  coverage.Add(other.coverage);
}

CampaignResult RunCampaign(const CampaignOptions& options) { return Campaign(options).Run(); }

bool ReachedAll(const Coverage& coverage) {
  return std::find(coverage.paths.begin(), coverage.paths.end(), 0u) == coverage.paths.end();
}

RunResult RunSeed(uint64_t seed, Repeat repeat) {
  const RunResult result = RunSimulation(SimOptions::FromSeed(seed));
  if (repeat == Repeat::kYes) {
    const RunResult again = RunSimulation(SimOptions::FromSeed(seed));
    CHECK_EQ(result.digest, again.digest) << "seed " << seed << " gave two different runs";
  }
  return result;
}

std::string Summary(const CampaignResult& result) {
  const Totals& totals = result.totals;
  std::string text =
      absl::StrFormat("%d runs ended well (%d of them made twice and the same), %d failed, in %s\n",
                      totals.runs, totals.repeated, result.failures,
                      absl::FormatDuration(absl::Trunc(result.took, absl::Seconds(1))));
  const double simulated_s = static_cast<double>(totals.simulated_ms) / 1e3;
  const double cpu_s = std::max(static_cast<double>(totals.cpu_ms) / 1e3, 1e-3);
  absl::StrAppendFormat(&text,
                        "simulated: %.1f hours, %.0f times as fast as real time on each core\n",
                        simulated_s / 3600, simulated_s / cpu_s);
  absl::StrAppendFormat(
      &text,
      "%d events, %d log entries, %d terms, %d leaders, %d operations: %d writes acknowledged, "
      "%d reads checked\n",
      totals.events, totals.entries, totals.terms, totals.leaders, totals.operations,
      totals.writes_acknowledged, totals.reads_checked);
  absl::StrAppendFormat(&text, "a leader was there at most %d ms after the faults ended\n",
                        totals.healing_ms_most);
  absl::StrAppend(&text, "faults:\n");
  for (size_t i = 0; i < totals.coverage.faults.size(); ++i) {
    absl::StrAppendFormat(&text, "%12d  %s\n", totals.coverage.faults[i],
                          NameOf(static_cast<Fault>(i)));
  }
  absl::StrAppend(&text, "reached:\n");
  for (size_t i = 0; i < totals.coverage.paths.size(); ++i) {
    absl::StrAppendFormat(&text, "%12d  %s\n", totals.coverage.paths[i],
                          NameOf(static_cast<Path>(i)));
  }
  return text;
}

}  // namespace pontoon::sim
