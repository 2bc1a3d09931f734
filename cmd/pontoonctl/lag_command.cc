// lag: how old what each member shows can be.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/byte_size.h"
#include "cmd/pontoonctl/cluster_survey.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/screen.h"
#include "cmd/pontoonctl/short_duration.h"
#include "cmd/pontoonctl/staleness_survey.h"

namespace pontoon::ctl {
namespace {

// "120 ms" for people, milliseconds for programs.
Cell DurationCell(const std::optional<absl::Duration>& duration, OutputFormat format) {
  if (!duration.has_value()) return Cell::None();
  if (format == OutputFormat::kTable) return ShortDuration(*duration);
  return absl::ToInt64Milliseconds(*duration);
}

class LagCommand : public Command {
 public:
  Description Describe() const override {
    return {"lag", "Explains how old what each member shows can be",
            R"(Finds the members through any endpoint and asks each of them. LAG is how many
entries that the leader knows to be committed the member has not applied yet. LAG
ENTRIES, LAG BYTES and BEHIND are what the leader has and the member has not
acknowledged, and the age of the oldest of that; HEARD is how long ago the leader
heard from it. PROVEN is what the member says itself: it shows everything that was
committed longer ago than that. Linearizable and bounded reads there renew it;
without any it grows, though the member lacks nothing. The last column says in
words what a FOLLOWER read there shows at this moment.

In JSON times are milliseconds; null: not known, or there is none.

With --watch it goes on until it is interrupted, or --count says so; the exit code
is then that of the last picture.

Exit code 1: no member answers.

Examples:
  pontoonctl lag
  pontoonctl lag --watch --interval 1s
  pontoonctl --endpoints 10.0.0.1:2379 --timeout 1s lag --output json
)"};
  }

  void DeclareFlags(CLI::App& app) override { watch_flag_.DeclareOn(app); }

  Ending Run(const Environment& environment) override {
    Ending ending;
    ShowRepeatedly(environment.terminal, watch_flag_.repetition(), [&] {
      const ClusterSurvey survey = SurveyCluster(environment.endpoints, environment.timeout);
      const std::vector<FollowerRead> reads = ReadAsFollowers(survey, environment.timeout);
      ending = EndingOf(reads);
      return Draw(survey, reads, environment.output.value_or(OutputFormat::kTable));
    });
    return ending;
  }

 private:
  static std::string Draw(const ClusterSurvey& survey, const std::vector<FollowerRead>& reads,
                          OutputFormat format) {
    Table table({"endpoint", "name", "role", "revision", "lag", "lag entries", "lag bytes",
                 "behind", "heard", "proven", "follower read"});
    for (size_t i = 0; i < reads.size(); ++i) {
      table.AddRow(Row(survey, survey.members[i], reads[i], format));
    }
    std::ostringstream picture;
    table.Print(format, picture);
    return std::move(picture).str();
  }

  static Ending EndingOf(const std::vector<FollowerRead>& reads) {
    if (std::any_of(reads.begin(), reads.end(),
                    [](const FollowerRead& read) { return read.status.ok(); })) {
      return {};
    }
    return {ExitCode::kFailed, "no member answers"};
  }

  static std::vector<Cell> Row(const ClusterSurvey& survey, const MemberStatus& member,
                               const FollowerRead& read, OutputFormat format) {
    std::vector<Cell> row = {member.endpoint, member.name, member.Role(),
                             read.status.ok() ? Cell(read.revision) : Cell::None(),
                             Cell::Optional(survey.LagEntries(member))};
    if (const pontoon::v1::FollowerStatus* const follower = survey.AsFollower(member)) {
      row.insert(row.end(),
                 {follower->lag_entries(),
                  format == OutputFormat::kTable ? Cell(FormatBytes(follower->lag_bytes()))
                                                 : Cell(follower->lag_bytes()),
                  DurationCell(absl::Milliseconds(follower->lag_age_ms()), format),
                  DurationCell(LastContact(*follower), format)});
    } else {
      row.insert(row.end(), 4, Cell::None());
    }
    row.insert(row.end(),
               {DurationCell(read.staleness_bound, format), WhatIsShown(survey, member, read)});
    return row;
  }

  WatchFlag watch_flag_;
};

}  // namespace

std::unique_ptr<Command> NewLagCommand() { return std::make_unique<LagCommand>(); }

}  // namespace pontoon::ctl
