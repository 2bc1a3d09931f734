// alarm list and disarm, defrag, and hash.

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/hash_survey.h"
#include "cmd/pontoonctl/maintenance_calls.h"
#include "cmd/pontoonctl/member_id.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

Reply SendAlarmRead(Session& session, const Environment& environment,
                    etcdserverpb::AlarmResponse* response) {
  return session.Read(Deadline::After(environment.timeout),
                      [&](Server& server, grpc::ClientContext* context) {
                        return server.maintenance().Alarm(context, {}, response);
                      });
}

void Print(const std::vector<etcdserverpb::AlarmMember>& alarms, const Environment& environment) {
  Table table({"member id", "alarm"});
  for (const etcdserverpb::AlarmMember& alarm : alarms) {
    table.AddRow({FormatId(alarm.memberid()), etcdserverpb::AlarmType_Name(alarm.alarm())});
  }
  table.Print(environment.output.value_or(OutputFormat::kPlain), environment.terminal.out);
}

class AlarmListCommand : public Command {
 public:
  Description Describe() const override {
    return {"alarm list", "Lists the alarms of the cluster",
            R"(NOSPACE: a member is over its quota, and writes are refused. CORRUPT: the data of a
member differ from the others'.

Examples:
  pontoonctl alarm list
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    Session session(environment.endpoints);
    etcdserverpb::AlarmResponse response;
    const Reply reply = SendAlarmRead(session, environment, &response);
    if (reply.ok()) Print({response.alarms().begin(), response.alarms().end()}, environment);
    return EndingOfRead(reply);
  }
};

class AlarmDisarmCommand : public Command {
 public:
  Description Describe() const override {
    return {"alarm disarm", "Clears all alarms, and prints those that it cleared",
            R"(Remove their cause first: after NOSPACE, for example, compact and defragment.

Examples:
  pontoonctl alarm disarm
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    Session session(environment.endpoints);
    etcdserverpb::AlarmResponse raised;
    Reply reply = SendAlarmRead(session, environment, &raised);
    if (!reply.ok()) return EndingOfRead(reply);
    std::vector<etcdserverpb::AlarmMember> cleared;
    for (const etcdserverpb::AlarmMember& alarm : raised.alarms()) {
      etcdserverpb::AlarmRequest request;
      request.set_action(etcdserverpb::AlarmRequest::DEACTIVATE);
      request.set_memberid(alarm.memberid());
      request.set_alarm(alarm.alarm());
      etcdserverpb::AlarmResponse response;
      // To clear what is cleared does no harm.
      reply = session.WriteRepeatable(
          Deadline::After(environment.timeout), [&](Server& server, grpc::ClientContext* context) {
            return server.maintenance().Alarm(context, request, &response);
          });
      if (!reply.ok()) break;
      cleared.push_back(alarm);
    }
    Print(cleared, environment);
    return EndingOfWrite(reply);
  }
};

class DefragCommand : public Command {
 public:
  Description Describe() const override {
    return {"defrag", "Has each endpoint give unused space back to its file system",
            R"(One after the other, and only the given endpoints. An etcd answers nobody meanwhile;
give a --timeout that is long enough for the size of the database.

Exit code 1: some did not do it.

Examples:
  pontoonctl --endpoints 10.0.0.2:2379 --timeout 1m defrag
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    size_t failed = 0;
    for (const Endpoint& endpoint : environment.endpoints) {
      const Reply reply = Defragment(endpoint, environment);
      if (reply.ok()) {
        environment.terminal.out << "defragmented " << endpoint.address() << std::endl;
      } else {
        ++failed;
        environment.terminal.err << endpoint.address() << ": " << Explain(reply) << std::endl;
      }
    }
    if (failed == 0) return {};
    return {ExitCode::kFailed,
            absl::StrCat(failed, " of ", environment.endpoints.size(), " not defragmented")};
  }
};

class HashCommand : public Command {
 public:
  Description Describe() const override {
    return {"hash", "Compares the data of all members by a checksum",
            R"(Finds the members through any endpoint, and asks each for the checksum of its keys up
to one revision: --rev, or the latest that all of them have. Members whose history was
compacted at different revisions cannot be compared; try again a little later.

Exit code 1: the data of two members differ, or it could not be found out.

Examples:
  pontoonctl hash
  pontoonctl hash --rev 12345 --output json
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("--rev", revision_, "The revision; 0: the latest that all members have")
        ->check(CLI::NonNegativeNumber);
  }

  Ending Run(const Environment& environment) override {
    const ClusterSurvey survey = SurveyCluster(environment.endpoints, environment.timeout);
    const int64_t revision = revision_ > 0 ? revision_ : CommonRevision(survey);
    const std::vector<MemberHash> hashes = AskForHashes(survey, revision, environment.timeout);
    Table table({"endpoint", "name", "revision", "compact revision", "hash", "error"});
    for (const MemberHash& member : hashes) {
      const bool known = member.hash.has_value();
      table.AddRow({member.endpoint, member.name, revision,
                    known ? Cell(member.compact_revision) : Cell::None(),
                    known ? Cell(absl::StrFormat("%08x", *member.hash)) : Cell::None(),
                    member.error});
    }
    table.Print(environment.output.value_or(OutputFormat::kTable), environment.terminal.out);
    switch (Compare(hashes)) {
      case HashVerdict::kEqual:
        return {};
      case HashVerdict::kDifferent:
        return {ExitCode::kFailed,
                absl::StrCat("THE DATA OF THE MEMBERS DIFFER at revision ", revision,
                             ": one of them is damaged; see the hashes above, and stop it")};
      case HashVerdict::kUnknown:
        return {ExitCode::kFailed,
                "not all could be compared: a member gives no hash, or was compacted elsewhere"};
    }
    return {};
  }

 private:
  int64_t revision_ = 0;
};

}  // namespace

std::unique_ptr<Command> NewAlarmListCommand() { return std::make_unique<AlarmListCommand>(); }
std::unique_ptr<Command> NewAlarmDisarmCommand() { return std::make_unique<AlarmDisarmCommand>(); }
std::unique_ptr<Command> NewDefragCommand() { return std::make_unique<DefragCommand>(); }
std::unique_ptr<Command> NewHashCommand() { return std::make_unique<HashCommand>(); }

}  // namespace pontoon::ctl
