// health, and check health: whether endpoints serve their clients.

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/endpoint_health.h"
#include "cmd/pontoonctl/member_id.h"

namespace pontoon::ctl {
namespace {

std::vector<Cell> HealthCells(const Endpoint& endpoint, const EndpointHealth& health) {
  return {endpoint.address(), health.read.ok() ? "healthy" : "unhealthy",
          absl::StrFormat("%.3fms", absl::ToDoubleMilliseconds(health.took))};
}

class HealthCommand : public Command {
 public:
  Description Describe() const override {
    return {"health", "Asks each endpoint for a linearizable read, and how long it takes",
            R"(A healthy endpoint reaches a leader that has a quorum. Only the given endpoints
are asked; "pontoonctl status" finds all members.

Exit code 1: an endpoint is not healthy.

Examples:
  pontoonctl health
  pontoonctl --endpoints 10.0.0.1:2379,10.0.0.2:2379 health --output json
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    const auto answers = CheckHealth(environment.endpoints, environment.timeout);
    Table table({"endpoint", "health", "took", "error"});
    size_t unhealthy = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
      const Reply& read = answers[i].read;
      if (!read.ok()) ++unhealthy;
      std::vector<Cell> row = HealthCells(environment.endpoints[i], answers[i]);
      row.push_back(read.ok() ? "" : Explain(read));
      table.AddRow(std::move(row));
    }
    table.Print(environment.output.value_or(OutputFormat::kTable), environment.terminal.out);
    if (unhealthy == 0) return {};
    return {ExitCode::kFailed, absl::StrCat(unhealthy, " of ", answers.size(), " unhealthy")};
  }
};

class CheckHealthCommand : public Command {
 public:
  Description Describe() const override {
    return {"check health", "Asks each endpoint for a linearizable read, and for alarms",
            R"(As "pontoonctl health", which knows nothing of alarms: an endpoint is in order if it
answers the read and no alarm is raised.

Exit code 1: an endpoint is not in order.

Examples:
  pontoonctl check health
  pontoonctl --endpoints 10.0.0.1:2379,10.0.0.2:2379 check health --output json
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    const auto reads = CheckHealth(environment.endpoints, environment.timeout);
    const auto alarms = AskForAlarms(environment.endpoints, environment.timeout);
    Table table({"endpoint", "health", "took", "alarms", "error"});
    size_t failed = 0;
    for (size_t i = 0; i < reads.size(); ++i) {
      const bool read_is_ok = reads[i].read.ok();
      const bool is_in_order =
          read_is_ok && alarms[i].reply.ok() && alarms[i].response.alarms().empty();
      if (!is_in_order) ++failed;
      std::vector<Cell> row = HealthCells(environment.endpoints[i], reads[i]);
      row.push_back(alarms[i].reply.ok() ? Cell(Text(alarms[i].response)) : Cell::None());
      row.push_back(read_is_ok ? (alarms[i].reply.ok() ? "" : Explain(alarms[i].reply))
                               : Explain(reads[i].read));
      table.AddRow(std::move(row));
    }
    table.Print(environment.output.value_or(OutputFormat::kTable), environment.terminal.out);
    if (failed == 0) return {};
    return {ExitCode::kFailed, absl::StrCat(failed, " of ", reads.size(), " not in order")};
  }

 private:
  // "NOSPACE of 8e9e05c52164694d".
  static std::string Text(const etcdserverpb::AlarmResponse& response) {
    return absl::StrJoin(response.alarms(), "; ",
                         [](std::string* out, const etcdserverpb::AlarmMember& alarm) {
                           absl::StrAppend(out, etcdserverpb::AlarmType_Name(alarm.alarm()), " of ",
                                           FormatId(alarm.memberid()));
                         });
  }
};

}  // namespace

std::unique_ptr<Command> NewHealthCommand() { return std::make_unique<HealthCommand>(); }
std::unique_ptr<Command> NewCheckHealthCommand() { return std::make_unique<CheckHealthCommand>(); }

}  // namespace pontoon::ctl
