// RunBench: keeps many requests outstanding at servers, and measures how they are answered.

#ifndef PONTOON_CMD_PONTOONCTL_BENCH_RUNNER_H_
#define PONTOON_CMD_PONTOONCTL_BENCH_RUNNER_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/bench_schedule.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/latency_histogram.h"
#include "proto/rpc.pb.h"

namespace pontoon::ctl {

inline constexpr char kBenchPrefix[] = "bench/";

struct BenchOptions {
  enum class Operation { kPut, kGet };
  enum class KeyOrder { kRandom, kSequential };

  Operation operation = Operation::kPut;
  KeyOrder key_order = KeyOrder::kRandom;
  // Gets are this but for their keys.
  etcdserverpb::RangeRequest get = {};
  // Requests outstanding at any time.
  int clients = 100;
  // Shared by the clients, and spread over the endpoints in turn.
  int connections = 4;
  std::string key_prefix = kBenchPrefix;
  int key_size_bytes = 16;
  int value_size_bytes = 256;
  // Different keys, named as in BenchKey.
  uint64_t key_count = 10'000;
  // Operations before the measured ones.
  uint64_t warmup = 0;
  BenchSchedule::Limits limits = {};
  // For each request, that to connect included.
  absl::Duration timeout = absl::Seconds(5);
  // Processes whose processor time is measured.
  std::vector<pid_t> pids = {};
};

// Counts only measured operations, not the warm-up.
struct BenchResult {
  // Of the operations that succeeded; of a rate, from the time that they were due.
  LatencyHistogram latency;
  // By gRPC status code.
  std::map<int, uint64_t> errors;
  // Gets that found no key.
  uint64_t not_found = 0;
  // In which no operation succeeded.
  absl::Duration longest_gap;
  absl::Duration elapsed;
  // Processor time of each of the options' pids, and of this process.
  std::vector<absl::Duration> server_cpu;
  absl::Duration client_cpu;

  uint64_t error_count() const;
};

// The key with this number: `prefix` and the number in decimal digits, with zeros between them up
// to `size_bytes`.
std::string BenchKey(absl::string_view prefix, uint64_t number, int size_bytes);

// The least key_size_bytes for so many keys with kBenchPrefix.
int BenchKeySizeMin(uint64_t key_count);

// Runs the warm-up, then the measured operations. An error only if a process of `pids` cannot be
// measured.
absl::StatusOr<BenchResult> RunBench(const std::vector<Endpoint>& endpoints,
                                     const BenchOptions& options);

// Writes all keys once, as a benchmark of gets needs them. Returns the errors.
BenchResult LoadBenchKeys(const std::vector<Endpoint>& endpoints, BenchOptions options);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_BENCH_RUNNER_H_
