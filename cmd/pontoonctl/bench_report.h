// The result of a benchmark, as text or JSON.

#ifndef PONTOON_CMD_PONTOONCTL_BENCH_REPORT_H_
#define PONTOON_CMD_PONTOONCTL_BENCH_REPORT_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "cmd/pontoonctl/bench_runner.h"
#include "cmd/pontoonctl/table.h"

namespace pontoon::ctl {

// In JSON, one object in a line: operation, clients, connections, operations (that succeeded),
// elapsed_s, rate_per_second, errors (an object, by gRPC code), not_found, latency_{mean,p50,p99,
// p99_9,max}_us, longest_gap_ms (in which none succeeded), client_cpu_us_per_op, and if there were
// pids, server_cpu_us_per_op (all together) and server_cpu_us_per_op_by_pid. The same as lines
// otherwise.
void PrintBenchReport(const BenchOptions& options, const BenchResult& result, OutputFormat format,
                      std::ostream& out);

// "3 UNAVAILABLE, 1 DEADLINE_EXCEEDED"; by gRPC code.
std::string DescribeErrors(const std::map<int, uint64_t>& errors);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_BENCH_REPORT_H_
