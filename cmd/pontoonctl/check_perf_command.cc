// check perf: whether the cluster bears a certain load.

#include <CLI/CLI.hpp>
#include <cmath>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/bench_report.h"
#include "cmd/pontoonctl/bench_runner.h"
#include "cmd/pontoonctl/check_keys.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/flag_values.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

// Loads and bounds are those of etcdctl check perf.
struct Load {
  double rate_per_second;
  int clients;
};
const std::map<std::string, Load>& Loads() {
  static const auto* const loads = new std::map<std::string, Load>{
      {"s", {150, 50}}, {"m", {1'000, 200}}, {"l", {8'000, 500}}, {"xl", {15'000, 1'000}}};
  return *loads;
}
constexpr double kRateShareMin = 0.9;
constexpr absl::Duration kLatencyMax = absl::Milliseconds(500);
constexpr absl::Duration kP99Max = absl::Milliseconds(100);
constexpr int kConnections = 10;
constexpr int kKeyBytes = 256;
constexpr int kValueBytes = 1024;

class CheckPerfCommand : public Command {
 public:
  Description Describe() const override {
    return {"check perf", "Puts at a certain rate for a while, and says whether that went well",
            R"(The loads are those of etcdctl check perf: s is 150 puts a second, m 1000, l 8000,
xl 15000, of 1 KiB each. It went well if 90 % of the puts that were wanted were done,
99 % of them within 100 ms, and all within 500 ms. A put counts from the time at
which it was due.

It writes keys that begin with --prefix, and deletes them afterwards; if there are
some already, it does nothing. Their revisions stay until a compaction.

Exit code 1: it did not go well.

Examples:
  pontoonctl check perf
  pontoonctl check perf --load m --duration 10s --output json
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("--load", load_, "s, m, l or xl")->check(CLI::IsMember({"s", "m", "l", "xl"}));
    AddDurationFlag(app, "--duration", duration_, "How long");
    keys_.DeclareOn(app);
  }

  Ending Run(const Environment& environment) override {
    Session session(environment.endpoints);
    if (const Ending none = keys_.CheckNone(session, environment); none.code != ExitCode::kOk) {
      return none;
    }
    const Load& load = Loads().at(load_);
    BenchOptions options;
    options.key_prefix = keys_.prefix();
    options.key_size_bytes = kKeyBytes;
    options.value_size_bytes = kValueBytes;
    options.clients = load.clients;
    options.connections = kConnections;
    options.timeout = environment.timeout;
    options.limits = {.duration = duration_, .rate_per_second = load.rate_per_second};
    const absl::StatusOr<BenchResult> result = RunBench(environment.endpoints, options);
    const Ending tidied = keys_.TidyUp(session, environment);
    if (!result.ok()) return {ExitCode::kFailed, std::string(result.status().message())};
    const Ending verdict = Print(load, *result, environment);
    return verdict.code == ExitCode::kOk ? tidied : verdict;
  }

 private:
  static Ending Print(const Load& load, const BenchResult& result, const Environment& environment) {
    const double rate =
        static_cast<double>(result.latency.count()) / absl::ToDoubleSeconds(result.elapsed);
    const absl::Duration p99 = result.latency.Quantile(0.99);
    const absl::Duration slowest = result.latency.Max();
    std::string wrong;
    const auto complain = [&](absl::string_view what) {
      absl::StrAppend(&wrong, wrong.empty() ? "" : "; ", what);
    };
    if (rate < kRateShareMin * load.rate_per_second) {
      complain(
          absl::StrCat("only ", std::lround(rate), " puts a second of ", load.rate_per_second));
    }
    if (p99 > kP99Max) complain(absl::StrCat("1 % of them took ", absl::FormatDuration(p99)));
    if (slowest > kLatencyMax) {
      complain(absl::StrCat("the slowest took ", absl::FormatDuration(slowest)));
    }
    if (!result.errors.empty()) {
      complain(absl::StrCat("failed: ", DescribeErrors(result.errors)));
    }
    const auto micros = [](absl::Duration d) { return absl::ToInt64Microseconds(d); };
    PrintRecord({{"verdict", wrong.empty() ? "pass" : "fail"},
                 {"wanted_per_second", static_cast<int64_t>(load.rate_per_second)},
                 {"rate_per_second", static_cast<int64_t>(std::lround(rate))},
                 {"latency_p99_us", micros(p99)},
                 {"latency_max_us", micros(slowest)}},
                environment.output.value_or(OutputFormat::kPlain), environment.terminal.out);
    if (wrong.empty()) return {};
    return {ExitCode::kFailed, wrong};
  }

  std::string load_ = "s";
  absl::Duration duration_ = absl::Minutes(1);
  CheckKeys keys_{"pontoonctl-check-perf/"};
};

}  // namespace

std::unique_ptr<Command> NewCheckPerfCommand() { return std::make_unique<CheckPerfCommand>(); }

}  // namespace pontoon::ctl
