// member list, add, remove, update and promote.

#include <CLI/CLI.hpp>
#include <optional>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cmd/pontoonctl/cluster_survey.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/member_id.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

class MemberListCommand : public Command {
 public:
  Description Describe() const override {
    return {"member list", "Lists the members of the cluster",
            R"(As the first endpoint that answers knows them.

Examples:
  pontoonctl member list
  pontoonctl --endpoints 10.0.0.1:2379 member list --output json
)"};
  }

  void DeclareFlags(CLI::App&) override {}

  Ending Run(const Environment& environment) override {
    etcdserverpb::MemberListResponse response;
    const Reply reply = ListMembers(environment.endpoints, environment.timeout, &response);
    if (!reply.ok()) return EndingOfRead(reply);
    Table table({"member id", "status", "name", "peer urls", "client urls", "learner"});
    for (const etcdserverpb::Member& member : response.members()) {
      table.AddRow({FormatId(member.id()), member.name().empty() ? "unstarted" : "started",
                    member.name(), absl::StrJoin(member.peerurls(), " "),
                    absl::StrJoin(member.clienturls(), " "), member.islearner() ? "yes" : "no"});
    }
    table.Print(environment.output.value_or(OutputFormat::kTable), environment.terminal.out);
    return {};
  }
};

// Sends a change. One whose answer is lost is not sent again: the second one might be refused
// because of the first, and hide what became of it.
Reply SendChange(const Environment& environment, Session::Attempt attempt) {
  return Session(environment.endpoints).Write(Deadline::After(environment.timeout), attempt);
}

CLI::Option* AddPeerUrlsFlag(CLI::App& app, std::string& value) {
  return app.add_option("--peer-urls", value, "Where the other members reach it, with commas")
      ->required();
}

class MemberAddCommand : public Command {
 public:
  Description Describe() const override {
    return {"member add", "Adds a member, and prints how to start it",
            R"(The new member receives the data first, and votes as soon as it keeps up; with
--learner only once it is promoted. Until then it does not count: writes go on
whether it runs or not.

What is printed are settings of the new server, to be put into its environment or
given as flags (--name, --initial-cluster, ...), with an empty data folder.

Examples:
  pontoonctl member add node4 --peer-urls http://10.0.0.4:2380
  pontoonctl member add node4 --peer-urls http://10.0.0.4:2380 --learner
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("name", name_, "Its name")->required();
    AddPeerUrlsFlag(app, peer_urls_);
    app.add_flag("--learner", learner_, "It does not vote until it is promoted");
  }

  Ending Run(const Environment& environment) override {
    etcdserverpb::MemberAddRequest request;
    for (const auto& url : absl::StrSplit(peer_urls_, ',')) request.add_peerurls(std::string(url));
    request.set_islearner(learner_);
    etcdserverpb::MemberAddResponse response;
    const Reply reply = SendChange(environment, [&](Server& server, grpc::ClientContext* context) {
      return server.cluster().MemberAdd(context, request, &response);
    });
    if (reply.ok()) Print(response, environment);
    return EndingOfWrite(reply);
  }

 private:
  // "name=url,..." of all members; the new one does not have its name there yet.
  std::string InitialCluster(const etcdserverpb::MemberAddResponse& response) const {
    std::vector<std::string> entries;
    for (const etcdserverpb::Member& member : response.members()) {
      const std::string& name = member.id() == response.member().id() ? name_ : member.name();
      for (const std::string& url : member.peerurls()) {
        entries.push_back(absl::StrCat(name, "=", url));
      }
    }
    return absl::StrJoin(entries, ",");
  }

  void Print(const etcdserverpb::MemberAddResponse& response,
             const Environment& environment) const {
    const std::string id = FormatId(response.member().id());
    const std::string cluster = FormatId(response.header().cluster_id());
    const std::string peer_urls = absl::StrJoin(response.member().peerurls(), ",");
    const Record settings = {{"name", name_},
                             {"initial cluster", InitialCluster(response)},
                             {"initial advertise peer urls", peer_urls},
                             {"initial cluster state", "existing"}};
    std::ostream& out = environment.terminal.out;
    if (const auto format = environment.output;
        format.value_or(OutputFormat::kPlain) != OutputFormat::kPlain) {
      Record record = {{"member id", id}, {"cluster id", cluster}};
      record.insert(record.end(), settings.begin(), settings.end());
      PrintRecord(record, *format, out);
      return;
    }
    out << "Member " << id << (learner_ ? " added as learner to cluster " : " added to cluster ")
        << cluster << "\n\n";
    for (const auto& [name, value] : settings) {
      std::string variable = absl::StrCat("PONTOON_", name);
      for (char& c : variable) c = c == ' ' ? '_' : absl::ascii_toupper(c);
      out << variable << "=\"" << value.text() << "\"\n";
    }
  }

  std::string name_;
  std::string peer_urls_;
  bool learner_ = false;
};

// A change of one member that is there, by the call `method` of the Cluster service. `done` says
// what was done, in words between the member and its cluster.
template <typename Request, typename Response>
class MemberChangeCommand : public Command {
 public:
  using Method = grpc::Status (etcdserverpb::Cluster::Stub::*)(grpc::ClientContext*, const Request&,
                                                               Response*);

  MemberChangeCommand(Method method, std::string done) : method_(method), done_(std::move(done)) {}

  void DeclareFlags(CLI::App& app) override {
    app.add_option("id", id_, "The member's id, as \"member list\" shows it")->required();
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<uint64_t> id = ParseMemberId(id_);
    if (!id.ok()) return UsageError(std::string(id.status().message()));
    Request request;
    request.set_id(*id);
    Fill(request);
    Response response;
    const Reply reply = SendChange(environment, [&](Server& server, grpc::ClientContext* context) {
      return (server.cluster().*method_)(context, request, &response);
    });
    if (reply.ok()) {
      environment.terminal.out << "Member " << FormatId(*id) << " " << done_ << " cluster "
                               << FormatId(response.header().cluster_id()) << "\n";
    }
    return EndingOfWrite(reply);
  }

 protected:
  // What the request says besides the member.
  virtual void Fill(Request&) const {}

 private:
  const Method method_;
  const std::string done_;
  std::string id_;
};

class MemberRemoveCommand : public MemberChangeCommand<etcdserverpb::MemberRemoveRequest,
                                                       etcdserverpb::MemberRemoveResponse> {
 public:
  MemberRemoveCommand()
      : MemberChangeCommand(&etcdserverpb::Cluster::Stub::MemberRemove, "removed from") {}

  Description Describe() const override {
    return {"member remove", "Removes a member for good",
            R"(The server of a member that is removed stops by itself, and does not start again
with its data. A member that is gone for good is removed in the same way; before
that, add the one that takes its place.

Examples:
  pontoonctl member remove 8e9e05c52164694d
)"};
  }
};

class MemberUpdateCommand : public MemberChangeCommand<etcdserverpb::MemberUpdateRequest,
                                                       etcdserverpb::MemberUpdateResponse> {
 public:
  MemberUpdateCommand()
      : MemberChangeCommand(&etcdserverpb::Cluster::Stub::MemberUpdate, "updated in") {}

  Description Describe() const override {
    return {"member update", "Gives a member other peer addresses",
            R"(Update the address first, then start the member where it is reached there.

Examples:
  pontoonctl member update 8e9e05c52164694d --peer-urls http://10.0.0.9:2380
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    MemberChangeCommand::DeclareFlags(app);
    AddPeerUrlsFlag(app, peer_urls_);
  }

 protected:
  void Fill(etcdserverpb::MemberUpdateRequest& request) const override {
    for (const auto& url : absl::StrSplit(peer_urls_, ',')) request.add_peerurls(std::string(url));
  }

 private:
  std::string peer_urls_;
};

class MemberPromoteCommand : public MemberChangeCommand<etcdserverpb::MemberPromoteRequest,
                                                        etcdserverpb::MemberPromoteResponse> {
 public:
  MemberPromoteCommand()
      : MemberChangeCommand(&etcdserverpb::Cluster::Stub::MemberPromote, "promoted in") {}

  Description Describe() const override {
    return {"member promote", "Lets a learner vote",
            R"(It is refused until the learner has what the leader has, or nearly so: try again.

Examples:
  pontoonctl member promote 8e9e05c52164694d
)"};
  }
};

}  // namespace

std::unique_ptr<Command> NewMemberListCommand() { return std::make_unique<MemberListCommand>(); }
std::unique_ptr<Command> NewMemberAddCommand() { return std::make_unique<MemberAddCommand>(); }
std::unique_ptr<Command> NewMemberRemoveCommand() {
  return std::make_unique<MemberRemoveCommand>();
}
std::unique_ptr<Command> NewMemberUpdateCommand() {
  return std::make_unique<MemberUpdateCommand>();
}
std::unique_ptr<Command> NewMemberPromoteCommand() {
  return std::make_unique<MemberPromoteCommand>();
}

}  // namespace pontoon::ctl
