// move-leader: another member is to lead.

#include <CLI/CLI.hpp>
#include <optional>
#include <ostream>

#include "cmd/pontoonctl/cluster_survey.h"
#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/member_id.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {
namespace {

class MoveLeaderCommand : public Command {
 public:
  Description Describe() const override {
    return {"move-leader", "Lets another member lead",
            R"(Finds the leader through any endpoint, and has it hand over to a member with a
vote: without an election timeout, and without a failed write. Before the machine of
the leader is worked on, for example; a server that is stopped does it by itself.

Examples:
  pontoonctl move-leader 8e9e05c52164694d
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("target_id", target_, "The id of who is to lead, as \"member list\" shows it")
        ->required();
  }

  Ending Run(const Environment& environment) override {
    const absl::StatusOr<uint64_t> target = ParseMemberId(target_);
    if (!target.ok()) return UsageError(std::string(target.status().message()));
    const ClusterSurvey survey = SurveyCluster(environment.endpoints, environment.timeout);
    const MemberStatus* const leader = survey.Leader();
    if (leader == nullptr) return {ExitCode::kFailed, "no leader among those that answer"};
    const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(leader->endpoint);
    if (!endpoint.ok()) return {ExitCode::kFailed, std::string(endpoint.status().message())};

    etcdserverpb::MoveLeaderRequest request;
    request.set_targetid(*target);
    etcdserverpb::MoveLeaderResponse response;
    const Reply reply =
        AskOnce(*endpoint, Deadline::After(environment.timeout),
                [&](Server& server, grpc::ClientContext* context) {
                  return server.maintenance().MoveLeader(context, request, &response);
                });
    if (reply.ok()) {
      environment.terminal.out << "Leadership transferred from "
                               << FormatId(leader->response->header().member_id()) << " to "
                               << FormatId(*target) << "\n";
    }
    return EndingOfWrite(reply);
  }

 private:
  std::string target_;
};

}  // namespace

std::unique_ptr<Command> NewMoveLeaderCommand() { return std::make_unique<MoveLeaderCommand>(); }

}  // namespace pontoon::ctl
