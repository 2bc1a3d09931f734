// BenchWorker: one thread of a benchmark, with its share of the clients.

#ifndef PONTOON_CMD_PONTOONCTL_BENCH_WORKER_H_
#define PONTOON_CMD_PONTOONCTL_BENCH_WORKER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/pontoonctl/bench_runner.h"
#include "cmd/pontoonctl/bench_schedule.h"
#include "cmd/pontoonctl/server.h"
#include "cmd/pontoonctl/success_gaps.h"
#include "raft/base/prng.h"

namespace pontoon::ctl {

// The keys and values of a benchmark. Not thread safe.
class BenchContent {
 public:
  BenchContent(const BenchOptions& options, uint64_t seed);

  std::string KeyFor(uint64_t operation_index);

  // Bytes that do not compress, and differ from call to call.
  std::string NextValue();

 private:
  const BenchOptions options_;
  Prng prng_;
  // Values are cut out of this.
  std::string noise_;
};

// A client of the benchmark: has one request outstanding at most.
class BenchCall;

// Keeps requests outstanding from one thread, by gRPC's completion queue: no thread waits for one
// request, so a thousand clients cost no more wake-ups than ten.
//
// Used by one thread, once for each phase.
class BenchWorker {
 public:
  struct Share {
    int clients;
    // At least one; the worker owns none of them.
    std::vector<Server*> servers;
    uint64_t seed;
  };

  BenchWorker(const BenchOptions& options, const Share& share);
  ~BenchWorker();

  BenchWorker(const BenchWorker&) = delete;
  BenchWorker& operator=(const BenchWorker&) = delete;

  // Sends what `schedule` hands out, until it is over and all is answered. Adds to `result` and
  // `gaps`, of which other workers share the latter.
  void Run(BenchSchedule& schedule, BenchResult& result, SuccessGaps& gaps);

 private:
  using Clock = BenchSchedule::Clock;

  // Sends operations as long as there are idle clients and operations that are due.
  void SendWhatIsDue(BenchSchedule& schedule);

  // Waits for the next answer or until the next operation is due, and takes the answer.
  void AwaitAnswer(BenchResult& result, SuccessGaps& gaps);

  const BenchOptions options_;
  BenchContent content_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<BenchCall>> calls_;
  std::vector<BenchCall*> idle_;
  // Taken from the schedule, and not due yet or without an idle client.
  std::optional<BenchSchedule::Operation> next_;
  bool schedule_is_over_ = false;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_BENCH_WORKER_H_
