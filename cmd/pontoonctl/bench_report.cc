#include "cmd/pontoonctl/bench_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cmd/pontoonctl/outcome.h"

namespace pontoon::ctl {
namespace {

std::string NameOfCode(int code) { return CodeName(static_cast<grpc::StatusCode>(code)); }

// A tenth is all that is worth printing.
double Tenths(double value) { return std::round(value * 10) / 10; }

double Micros(absl::Duration duration) { return Tenths(absl::ToDoubleMicroseconds(duration)); }

// What an operation cost; failed ones count too, as they cost something.
double MicrosPerOperation(absl::Duration cpu, const BenchResult& result) {
  const uint64_t operations = result.latency.count() + result.error_count();
  return Micros(cpu / static_cast<double>(std::max<uint64_t>(operations, 1)));
}

absl::Duration Sum(const std::vector<absl::Duration>& durations) {
  return std::accumulate(durations.begin(), durations.end(), absl::ZeroDuration());
}

nlohmann::ordered_json ReportAsJson(const BenchOptions& options, const BenchResult& result) {
  nlohmann::ordered_json report;
  report["operation"] = options.operation == BenchOptions::Operation::kPut ? "put" : "get";
  report["clients"] = options.clients;
  report["connections"] = options.connections;
  report["operations"] = result.latency.count();
  const double seconds = absl::ToDoubleSeconds(result.elapsed);
  report["elapsed_s"] = std::round(seconds * 1000) / 1000;
  report["rate_per_second"] = Tenths(result.latency.count() / std::max(seconds, 1e-9));
  report["errors"] = nlohmann::ordered_json::object();
  for (const auto& [code, count] : result.errors) report["errors"][NameOfCode(code)] = count;
  report["not_found"] = result.not_found;
  report["latency_mean_us"] = Micros(result.latency.Mean());
  report["latency_p50_us"] = Micros(result.latency.Quantile(0.5));
  report["latency_p99_us"] = Micros(result.latency.Quantile(0.99));
  report["latency_p99_9_us"] = Micros(result.latency.Quantile(0.999));
  report["latency_max_us"] = Micros(result.latency.Max());
  report["longest_gap_ms"] = Tenths(absl::ToDoubleMilliseconds(result.longest_gap));
  report["client_cpu_us_per_op"] = MicrosPerOperation(result.client_cpu, result);
  if (options.pids.empty()) return report;
  report["server_cpu_us_per_op"] = MicrosPerOperation(Sum(result.server_cpu), result);
  for (size_t i = 0; i < options.pids.size(); ++i) {
    report["server_cpu_us_per_op_by_pid"][std::to_string(options.pids[i])] =
        MicrosPerOperation(result.server_cpu[i], result);
  }
  return report;
}

}  // namespace

std::string DescribeErrors(const std::map<int, uint64_t>& errors) {
  return absl::StrJoin(errors, ", ", [](std::string* out, const auto& error) {
    absl::StrAppend(out, error.second, " ", NameOfCode(error.first));
  });
}

void PrintBenchReport(const BenchOptions& options, const BenchResult& result, OutputFormat format,
                      std::ostream& out) {
  const nlohmann::ordered_json report = ReportAsJson(options, result);
  if (format == OutputFormat::kJson) {
    out << report.dump() << '\n';
    return;
  }
  Table table({"figure", "value"});
  for (const auto& [name, value] : report.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (format == OutputFormat::kTable) {
      table.AddRow({name, text});
    } else {
      out << absl::StrFormat("%-28s %s\n", name, text);
    }
  }
  if (format == OutputFormat::kTable) table.Print(format, out);
}

}  // namespace pontoon::ctl
