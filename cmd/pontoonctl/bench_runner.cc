#include "cmd/pontoonctl/bench_runner.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "cmd/pontoonctl/bench_worker.h"
#include "cmd/pontoonctl/process_cpu.h"
#include "cmd/pontoonctl/success_gaps.h"

namespace pontoon::ctl {
namespace {

using Clock = BenchSchedule::Clock;

// Two threads of ours keep more servers busy than fit on the same machine.
constexpr int kThreadsMax = 2;

absl::Duration OwnCpuTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

absl::StatusOr<std::vector<absl::Duration>> CpuTimes(const std::vector<pid_t>& pids) {
  std::vector<absl::Duration> times;
  for (pid_t pid : pids) {
    const absl::StatusOr<absl::Duration> time = ProcessCpuTime(pid);
    if (!time.ok()) return time.status();
    times.push_back(*time);
  }
  return times;
}

// The connections and the threads of a benchmark, over its phases.
class BenchCrew {
 public:
  BenchCrew(const std::vector<Endpoint>& endpoints, const BenchOptions& options) {
    for (int i = 0; i < options.connections; ++i) {
      servers_.push_back(std::make_unique<Server>(endpoints[i % endpoints.size()]));
    }
    const int threads = std::min({kThreadsMax, options.connections, options.clients});
    for (int i = 0; i < threads; ++i) {
      BenchWorker::Share share{
          .clients = options.clients / threads + (i < options.clients % threads ? 1 : 0),
          .servers = {},
          .seed = static_cast<uint64_t>(i) + 1};
      for (int s = i; s < options.connections; s += threads) {
        share.servers.push_back(servers_[s].get());
      }
      workers_.push_back(std::make_unique<BenchWorker>(options, share));
    }
  }

  BenchResult RunPhase(const BenchSchedule::Limits& limits) {
    const Clock::time_point start = Clock::now();
    BenchSchedule schedule(limits, start);
    SuccessGaps gaps(start, schedule.end());
    std::vector<BenchResult> parts(workers_.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < workers_.size(); ++i) {
      threads.emplace_back([&, i] { workers_[i]->Run(schedule, parts[i], gaps); });
    }
    for (std::thread& thread : threads) thread.join();
    const Clock::time_point end = Clock::now();
    BenchResult result;
    result.elapsed = absl::FromChrono(end - start);
    result.longest_gap = gaps.Longest(end);
    for (const BenchResult& part : parts) {
      result.latency.Merge(part.latency);
      for (const auto& [code, count] : part.errors) result.errors[code] += count;
      result.not_found += part.not_found;
    }
    return result;
  }

 private:
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<BenchWorker>> workers_;
};

}  // namespace

uint64_t BenchResult::error_count() const {
  uint64_t count = 0;
  for (const auto& [code, errors_of_code] : errors) count += errors_of_code;
  return count;
}

absl::StatusOr<BenchResult> RunBench(const std::vector<Endpoint>& endpoints,
                                     const BenchOptions& options) {
  BenchCrew crew(endpoints, options);
  if (options.warmup > 0) crew.RunPhase({.total = options.warmup});
  const auto server_cpu_before = CpuTimes(options.pids);
  if (!server_cpu_before.ok()) return server_cpu_before.status();
  const absl::Duration client_cpu_before = OwnCpuTime();
  BenchResult result = crew.RunPhase(options.limits);
  result.client_cpu = OwnCpuTime() - client_cpu_before;
  const auto server_cpu_after = CpuTimes(options.pids);
  if (!server_cpu_after.ok()) return server_cpu_after.status();
  for (size_t i = 0; i < options.pids.size(); ++i) {
    result.server_cpu.push_back((*server_cpu_after)[i] - (*server_cpu_before)[i]);
  }
  return result;
}

BenchResult LoadBenchKeys(const std::vector<Endpoint>& endpoints, BenchOptions options) {
  options.operation = BenchOptions::Operation::kPut;
  options.key_order = BenchOptions::KeyOrder::kSequential;
  return BenchCrew(endpoints, options).RunPhase({.total = options.key_count});
}

}  // namespace pontoon::ctl
