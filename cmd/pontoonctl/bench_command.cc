// bench put and bench get: how fast the servers answer, and what it costs them.

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cmd/pontoonctl/bench_report.h"
#include "cmd/pontoonctl/bench_runner.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/flag_values.h"
#include "cmd/pontoonctl/read_flags.h"

namespace pontoon::ctl {
namespace {

constexpr uint64_t kDefaultTotal = 10'000;
constexpr int kClientsMax = 100'000;
constexpr int kConnectionsMax = 1'000;
constexpr int kValueBytesMax = 64 << 20;

constexpr char kHelp[] = R"(
The keys are "bench/" and a number with leading zeros. Latencies are of the
requests that succeeded. With --rate a latency counts from the time at which its
request was due, even if all clients were still waiting for others, so that a
stall of the servers shows in full. longest_gap_ms is the longest time in which
no request of any client succeeded, as through a change of leader.

With --pids the processor time (user and system) of these processes is measured,
and given in microseconds for each operation: a steadier figure than the rate,
where a machine is shared with others. The client's own is always given.

Exit code 3: some operations failed; 1: all did.
)";

// What put and get have in common.
class BenchCommand : public Command {
 public:
  void DeclareFlags(CLI::App& app) override {
    app.add_option("--clients", options_.clients, "Requests outstanding at any time")
        ->check(CLI::Range(1, kClientsMax));
    app.add_option("--connections", options_.connections,
                   "Connections, spread over the endpoints in turn")
        ->check(CLI::Range(1, kConnectionsMax));
    app.add_option("--key-size", options_.key_size_bytes, "Bytes of a key")
        ->check(CLI::Range(1, 1 << 20));
    app.add_option("--value-size", options_.value_size_bytes, "Bytes of a value")
        ->check(CLI::Range(0, kValueBytesMax));
    app.add_option("--keys", options_.key_count, "Different keys")
        ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
    CLI::Option* total = app.add_option("--total", total_, "Operations to measure (default 10000)")
                             ->check(CLI::PositiveNumber);
    AddDurationFlag(app, "--duration", duration_, "How long to measure, instead of --total")
        ->excludes(total)
        ->default_str("");
    app.add_option("--warmup", options_.warmup, "Operations before, which are not counted");
    CLI::Option* sequential =
        app.add_flag("--sequential", sequential_, "Take the keys in their order");
    app.add_flag("--random", random_, "Take the keys at random; this is the default")
        ->excludes(sequential);
    app.add_option("--rate", rate_per_second_, "Operations each second (default: no limit)")
        ->check(CLI::PositiveNumber);
    app.add_option("--pids", options_.pids, "Measure the processor time of these processes")
        ->delimiter(',')
        ->check(CLI::PositiveNumber);
  }

  Ending Run(const Environment& environment) override {
    const int key_size_min = BenchKeySizeMin(options_.key_count);
    if (options_.key_size_bytes < key_size_min) {
      return UsageError(absl::StrCat("--keys ", options_.key_count, " needs --key-size ",
                                     key_size_min, " at least"));
    }
    options_.timeout = environment.timeout;
    options_.key_order =
        sequential_ ? BenchOptions::KeyOrder::kSequential : BenchOptions::KeyOrder::kRandom;
    options_.limits = {.total = total_, .duration = duration_, .rate_per_second = rate_per_second_};
    const bool has_duration = duration_ != absl::InfiniteDuration();
    if (!total_.has_value() && !has_duration) options_.limits.total = kDefaultTotal;
    if (const Ending ending = Prepare(environment); ending.code != ExitCode::kOk) return ending;
    const absl::StatusOr<BenchResult> result = RunBench(environment.endpoints, options_);
    if (!result.ok()) return {ExitCode::kFailed, std::string(result.status().message())};
    PrintBenchReport(options_, *result, environment.output.value_or(OutputFormat::kPlain),
                     environment.terminal.out);
    if (result->errors.empty()) return {};
    return {result->latency.count() == 0 ? ExitCode::kFailed : ExitCode::kPartial,
            absl::StrCat("failed operations: ", DescribeErrors(result->errors))};
  }

 protected:
  // Runs before the benchmark.
  virtual Ending Prepare(const Environment&) { return {}; }

  BenchOptions options_;

 private:
  std::optional<uint64_t> total_;
  absl::Duration duration_ = absl::InfiniteDuration();
  std::optional<double> rate_per_second_;
  bool sequential_ = false;
  bool random_ = false;  // only so that it can be said
};

class BenchPutCommand : public BenchCommand {
 public:
  BenchPutCommand() { options_.operation = BenchOptions::Operation::kPut; }

  Description Describe() const override {
    return {"bench put", "Measures puts", absl::StrCat(kHelp, R"(
Examples:
  pontoonctl bench put --total 100000 --clients 1000 --connections 10
  pontoonctl bench put --duration 30s --rate 5000 --output json
  pontoonctl bench put --warmup 1000 --pids 4711,4712,4713
)")};
  }
};

class BenchGetCommand : public BenchCommand {
 public:
  BenchGetCommand() { options_.operation = BenchOptions::Operation::kGet; }

  Description Describe() const override {
    return {"bench get", "Measures gets of single keys", absl::StrCat(kHelp, R"(
Gets of keys that do not exist are counted as "not found", and are cheaper: let
--load write all keys first.

Examples:
  pontoonctl bench get --load --total 100000 --clients 1000
  pontoonctl bench get --serializable --duration 30s --output json
  pontoonctl bench get --max-staleness 500ms --endpoints 127.0.0.1:22379
)")};
  }

  void DeclareFlags(CLI::App& app) override {
    BenchCommand::DeclareFlags(app);
    app.add_flag("--serializable", serializable_, "Let each server answer from its own state");
    read_flags_.DeclareOn(app);
    app.add_flag("--load", load_, "Put all the keys before; not measured");
  }

 protected:
  Ending Prepare(const Environment& environment) override {
    options_.get.set_serializable(serializable_);
    if (absl::Status s = read_flags_.AddTo(&options_.get); !s.ok()) {
      return UsageError(std::string(s.message()));
    }
    if (!load_) return {};
    const BenchResult loaded = LoadBenchKeys(environment.endpoints, options_);
    if (loaded.errors.empty()) return {};
    return {ExitCode::kFailed, absl::StrCat("--load failed: ", DescribeErrors(loaded.errors))};
  }

 private:
  bool serializable_ = false;
  ReadFlags read_flags_;
  bool load_ = false;
};

}  // namespace

std::unique_ptr<Command> NewBenchPutCommand() { return std::make_unique<BenchPutCommand>(); }
std::unique_ptr<Command> NewBenchGetCommand() { return std::make_unique<BenchGetCommand>(); }

}  // namespace pontoon::ctl
