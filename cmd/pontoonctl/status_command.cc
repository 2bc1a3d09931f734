// status: what an operator looks at first.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/pontoonctl/byte_size.h"
#include "cmd/pontoonctl/cluster_survey.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/member_id.h"
#include "cmd/pontoonctl/screen.h"

namespace pontoon::ctl {
namespace {

// "3.1 MiB" for people, bytes for programs.
Cell SizeCell(int64_t bytes, OutputFormat format) {
  if (format != OutputFormat::kTable) return bytes;
  return FormatBytes(static_cast<uint64_t>(bytes));
}

// "1.5s" for people, milliseconds for programs. Nothing of the leader, and where nobody says it.
Cell BehindCell(const ClusterSurvey& survey, const MemberStatus& member, OutputFormat format) {
  const pontoon::v1::FollowerStatus* const follower = survey.AsFollower(member);
  if (follower == nullptr) return Cell::None();
  if (format != OutputFormat::kTable) return follower->lag_age_ms();
  return absl::FormatDuration(absl::Milliseconds(follower->lag_age_ms()));
}

std::vector<Cell> StatusRow(const ClusterSurvey& survey, const MemberStatus& member,
                            OutputFormat format) {
  std::vector<Cell> row = {
      member.endpoint, member.name,
      member.member_id.has_value() ? Cell(FormatId(*member.member_id)) : Cell::None()};
  const Cell lag = Cell::Optional(survey.LagEntries(member));
  const Cell behind = BehindCell(survey, member, format);
  if (!member.response.has_value()) {
    row.insert(row.end(), {Cell::None(), member.Role(), Cell::None(), Cell::None(), Cell::None(),
                           Cell::None(), lag, behind, Cell::None(), member.error});
    return row;
  }
  const auto& response = *member.response;
  const std::string version =
      response.pontoon_version().empty()
          ? response.version()
          : absl::StrCat(response.pontoon_version(), " (etcd ", response.version(), ")");
  row.insert(row.end(),
             {version, member.Role(), response.raftterm(), response.header().revision(),
              response.raftindex(), response.raftappliedindex(), lag, behind,
              SizeCell(response.dbsize(), format), absl::StrJoin(response.errors(), "; ")});
  return row;
}

class StatusCommand : public Command {
 public:
  Description Describe() const override {
    return {"status", "Shows every member: its role, how far it is, and whether it answers",
            R"(Finds the members through any endpoint and asks each of them. LAG is how many
entries that the leader knows to be committed the member has not applied yet; of a
member that does not answer it is not known. BEHIND is the age of the oldest entry
that the leader has and the member has not acknowledged.

With --watch it goes on until it is interrupted, or --count says so; the exit code
is then that of the last picture. "pontoonctl top" shows rates and latencies too.

Exit code 1: a member is unreachable, or there is no leader.

Examples:
  pontoonctl status
  pontoonctl status --watch --interval 1s
  pontoonctl --endpoints 10.0.0.1:2379 --timeout 1s status --output json
)"};
  }

  void DeclareFlags(CLI::App& app) override { watch_flag_.DeclareOn(app); }

  Ending Run(const Environment& environment) override {
    Ending ending;
    ShowRepeatedly(environment.terminal, watch_flag_.repetition(), [&] {
      const ClusterSurvey survey = SurveyCluster(environment.endpoints, environment.timeout);
      ending = EndingOf(survey);
      return Draw(survey, environment.output.value_or(OutputFormat::kTable));
    });
    return ending;
  }

 private:
  static std::string Draw(const ClusterSurvey& survey, OutputFormat format) {
    Table table({"endpoint", "name", "member id", "version", "role", "term", "revision",
                 "raft index", "applied", "lag", "behind", "db size", "errors"});
    for (const MemberStatus& member : survey.members) {
      table.AddRow(StatusRow(survey, member, format));
    }
    std::ostringstream picture;
    table.Print(format, picture);
    return std::move(picture).str();
  }

  static Ending EndingOf(const ClusterSurvey& survey) {
    const size_t silent =
        std::count_if(survey.members.begin(), survey.members.end(),
                      [](const MemberStatus& member) { return !member.response.has_value(); });
    std::vector<std::string> problems;
    if (silent > 0) {
      problems.push_back(absl::StrCat(silent, " of ", survey.members.size(), " unreachable"));
    }
    if (survey.Leader() == nullptr) problems.push_back("no leader among those that answer");
    if (problems.empty()) return {};
    return {ExitCode::kFailed, absl::StrJoin(problems, "; ")};
  }

  WatchFlag watch_flag_;
};

}  // namespace

std::unique_ptr<Command> NewStatusCommand() { return std::make_unique<StatusCommand>(); }

}  // namespace pontoon::ctl
