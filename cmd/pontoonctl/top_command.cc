// top: what the members do right now.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cmd/pontoonctl/activity.h"
#include "cmd/pontoonctl/byte_size.h"
#include "cmd/pontoonctl/cluster_survey.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/member_id.h"
#include "cmd/pontoonctl/screen.h"
#include "cmd/pontoonctl/short_duration.h"

namespace pontoon::ctl {
namespace {

using pontoon::v1::RoleChange;

constexpr size_t kRoleChangesShown = 8;

struct DatedSurvey {
  ClusterSurvey survey;
  absl::Time time;
};

Cell DurationCell(const std::optional<absl::Duration>& duration) {
  return duration.has_value() ? Cell(ShortDuration(*duration)) : Cell::None();
}

Cell RateCell(double a_second) { return absl::StrFormat("%.1f", a_second); }

std::string NameOf(const MemberStatus& member) {
  if (!member.name.empty()) return member.name;
  return member.member_id.has_value() ? FormatId(*member.member_id) : member.endpoint;
}

std::string Headline(const DatedSurvey& now) {
  const MemberStatus* const leader = now.survey.Leader();
  const std::vector<MemberStatus>& members = now.survey.members;
  const auto answering = std::count_if(
      members.begin(), members.end(), [](const MemberStatus& m) { return m.response.has_value(); });
  return absl::StrCat(absl::FormatTime("%H:%M:%S", now.time, absl::LocalTimeZone()), "  ",
                      leader == nullptr ? std::string("no leader")
                                        : absl::StrCat(NameOf(*leader), " leads in term ",
                                                       leader->response->raftterm()),
                      ", ", answering, " of ", members.size(), " members answer\n");
}

// What the member did since `before`, if it answered then too.
std::optional<Activity> ActivityOf(const MemberStatus& member, const DatedSurvey* before,
                                   absl::Time now) {
  if (before == nullptr || !member.response.has_value()) return std::nullopt;
  for (const MemberStatus& then : before->survey.members) {
    if (then.member_id == member.member_id && then.response.has_value()) {
      return ActivityBetween(*then.response, *member.response, now - before->time);
    }
  }
  return std::nullopt;
}

std::vector<Cell> Row(const DatedSurvey& now, const DatedSurvey* before,
                      const MemberStatus& member) {
  std::vector<Cell> row = {NameOf(member), member.Role()};
  if (const auto activity = ActivityOf(member, before, now.time)) {
    row.insert(row.end(),
               {RateCell(activity->writes), RateCell(activity->requests),
                RateCell(activity->failures), DurationCell(activity->request_p50),
                DurationCell(activity->request_p99), DurationCell(activity->log_write_p99)});
  } else {
    row.insert(row.end(), 6, Cell::None());
  }
  if (const auto* const follower = now.survey.AsFollower(member)) {
    row.insert(row.end(),
               {follower->lag_entries(), FormatBytes(follower->lag_bytes()),
                ShortDuration(absl::Milliseconds(follower->lag_age_ms())),
                follower->last_contact_age_ms() < 0
                    ? Cell("never")
                    : Cell(ShortDuration(absl::Milliseconds(follower->last_contact_age_ms())))});
  } else {
    row.insert(row.end(), 4, Cell::None());
  }
  if (member.response.has_value()) {
    row.insert(row.end(), {member.response->raftappliedindex(),
                           FormatBytes(static_cast<uint64_t>(member.response->dbsize()))});
  } else {
    row.insert(row.end(), 2, Cell::None());
  }
  return row;
}

// Of all members, the newest first.
std::string RoleChangeLines(const ClusterSurvey& survey) {
  std::multimap<int64_t, std::pair<const MemberStatus*, const RoleChange*>> by_age;
  for (const MemberStatus& member : survey.members) {
    if (!member.response.has_value()) continue;
    for (const RoleChange& change : member.response->role_changes()) {
      by_age.insert({change.age_ms(), {&member, &change}});
    }
  }
  std::string lines;
  size_t shown = 0;
  for (const auto& [age, entry] : by_age) {
    if (++shown > kRoleChangesShown) break;
    const auto& [member, change] = entry;
    absl::StrAppend(&lines, "  ", ShortDuration(absl::Milliseconds(age)), " ago: ", NameOf(*member),
                    " in term ", change->term(), ": ", change->reason(), "\n");
  }
  return lines.empty() ? lines : absl::StrCat("\nRecent changes of who leads:\n", lines);
}

std::string ErrorLines(const ClusterSurvey& survey) {
  std::string lines;
  for (const MemberStatus& member : survey.members) {
    const std::string error =
        member.response.has_value() ? absl::StrJoin(member.response->errors(), "; ") : member.error;
    if (!error.empty()) absl::StrAppend(&lines, "  ", NameOf(member), ": ", error, "\n");
  }
  return lines.empty() ? lines : absl::StrCat("\nProblems:\n", lines);
}

std::string Draw(const DatedSurvey& now, const DatedSurvey* before, OutputFormat format) {
  Table table({"name", "role", "writes/s", "requests/s", "failed/s", "p50", "p99", "log write p99",
               "lag entries", "lag bytes", "behind", "heard", "applied", "db size"});
  for (const MemberStatus& member : now.survey.members) table.AddRow(Row(now, before, member));
  std::ostringstream rows;
  table.Print(format, rows);
  if (format != OutputFormat::kTable) return std::move(rows).str();
  return absl::StrCat(Headline(now), "\n", std::move(rows).str(), ErrorLines(now.survey),
                      RoleChangeLines(now.survey));
}

class TopCommand : public Command {
 public:
  Description Describe() const override {
    return {"top", "Shows what the members do right now, again and again",
            R"(Rates and latencies are of the time since the picture before; the first one has none.
Writes are those of the member's own clients. BEHIND is the age of the oldest entry
that the leader has and the member has not acknowledged, HEARD how long ago the
leader heard of the member. Members that are not of Pontoon show less.

It goes on until it is interrupted, or --count says so. Where the output is no
terminal the pictures follow each other.

Examples:
  pontoonctl top
  pontoonctl top --interval 1s --count 10 >what-happened.txt
)"};
  }

  void DeclareFlags(CLI::App& app) override { repetition_.DeclareFlags(app); }

  Ending Run(const Environment& environment) override {
    const OutputFormat format = environment.output.value_or(OutputFormat::kTable);
    std::optional<DatedSurvey> before;
    ShowRepeatedly(environment.terminal, repetition_, [&] {
      DatedSurvey now{SurveyCluster(environment.endpoints, environment.timeout), absl::Now()};
      std::string picture = Draw(now, before ? &*before : nullptr, format);
      before = std::move(now);
      return picture;
    });
    return {};
  }

 private:
  Repetition repetition_;
};

}  // namespace

std::unique_ptr<Command> NewTopCommand() { return std::make_unique<TopCommand>(); }

}  // namespace pontoon::ctl
