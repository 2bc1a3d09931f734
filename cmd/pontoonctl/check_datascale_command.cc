// check datascale: how much memory a server takes for a certain amount of data.

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/bench_report.h"
#include "cmd/pontoonctl/bench_runner.h"
#include "cmd/pontoonctl/check_keys.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/flag_values.h"
#include "cmd/pontoonctl/server_metrics.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

// Loads and sizes are those of etcdctl check datascale.
struct Load {
  uint64_t keys;
  int clients;
};
const std::map<std::string, Load>& Loads() {
  static const auto* const loads = new std::map<std::string, Load>{{"s", {10'000, 50}},
                                                                   {"m", {100'000, 200}},
                                                                   {"l", {1'000'000, 500}},
                                                                   {"xl", {3'000'000, 1'000}}};
  return *loads;
}
constexpr int kKeyBytes = 512;
constexpr int kValueBytes = 512;
constexpr int kConnections = 10;

constexpr char kMemory[] = "process_resident_memory_bytes";
constexpr char kMetricsPort[] = "2381";

class CheckDatascaleCommand : public Command {
 public:
  Description Describe() const override {
    return {"check datascale", "Puts many keys, and says how much more memory a server takes then",
            R"(The loads are those of etcdctl check datascale: s is 10,000 keys, m 100,000, l
1,000,000, xl 3,000,000, each with its value 1 KiB. The memory is what the first
endpoint shows as process_resident_memory_bytes among its metrics, by default on
port 2381 of the same host; an etcd shows them at its endpoint for clients.

It writes keys that begin with --prefix, and deletes them afterwards; if there are
some already, it does nothing. Their revisions stay until a compaction.

Exit code 1: some keys could not be written, or the memory could not be read.

Examples:
  pontoonctl check datascale
  pontoonctl check datascale --load m --auto-compact --output json
  pontoonctl --endpoints 10.0.0.9:2379 check datascale --metrics-endpoint 10.0.0.9:2379
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("--load", load_, "s, m, l or xl")->check(CLI::IsMember({"s", "m", "l", "xl"}));
    app.add_option("--metrics-endpoint", metrics_endpoint_,
                   "Where the first endpoint serves its metrics (default: port 2381 of its host)");
    keys_.DeclareOn(app);
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<Endpoint> metrics = MetricsEndpoint(environment);
    if (!metrics.ok()) return UsageError(std::string(metrics.status().message()));
    Session session(environment.endpoints);
    if (const Ending none = keys_.CheckNone(session, environment); none.code != ExitCode::kOk) {
      return none;
    }
    const auto before = ReadMetric(*metrics, kMemory, environment.timeout);
    if (!before.ok()) return NoMemory(before.status());
    const Load& load = Loads().at(load_);
    const BenchResult written = Write(load, environment);
    const auto after = ReadMetric(*metrics, kMemory, environment.timeout);
    const Ending tidied = keys_.TidyUp(session, environment);
    if (!after.ok()) return NoMemory(after.status());
    Print(load, written, {.before = *before, .after = *after}, environment);
    if (written.errors.empty()) return tidied;
    return {ExitCode::kFailed, absl::StrCat("failed: ", DescribeErrors(written.errors))};
  }

 private:
  struct Memory {
    double before;
    double after;
  };

  absl::StatusOr<Endpoint> MetricsEndpoint(const Environment& environment) const {
    if (metrics_endpoint_.has_value()) return Endpoint::Parse(*metrics_endpoint_);
    const std::string& address = environment.endpoints.front().address();
    return Endpoint::Parse(absl::StrCat(address.substr(0, address.rfind(':') + 1), kMetricsPort));
  }

  BenchResult Write(const Load& load, const Environment& environment) const {
    BenchOptions options;
    options.key_prefix = keys_.prefix();
    options.key_size_bytes = kKeyBytes;
    options.value_size_bytes = kValueBytes;
    options.key_count = load.keys;
    options.clients = load.clients;
    options.connections = kConnections;
    options.timeout = environment.timeout;
    return LoadBenchKeys(environment.endpoints, options);
  }

  static Ending NoMemory(const absl::Status& error) {
    return {ExitCode::kFailed,
            absl::StrCat(error.message(), "; --metrics-endpoint says where the server shows it")};
  }

  static void Print(const Load& load, const BenchResult& written, const Memory& memory,
                    const Environment& environment) {
    const auto bytes = [](double value) { return static_cast<int64_t>(value); };
    PrintRecord({{"verdict", written.errors.empty() ? "pass" : "fail"},
                 {"keys", static_cast<int64_t>(load.keys)},
                 {"written", static_cast<int64_t>(written.latency.count())},
                 {"memory_before_bytes", bytes(memory.before)},
                 {"memory_after_bytes", bytes(memory.after)},
                 {"memory_used_bytes", bytes(memory.after - memory.before)}},
                environment.output.value_or(OutputFormat::kPlain), environment.terminal.out);
  }

  std::string load_ = "s";
  std::optional<std::string> metrics_endpoint_;
  CheckKeys keys_{"pontoonctl-check-datascale/"};
};

}  // namespace

std::unique_ptr<Command> NewCheckDatascaleCommand() {
  return std::make_unique<CheckDatascaleCommand>();
}

}  // namespace pontoon::ctl
