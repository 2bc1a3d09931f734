#include "kv/client/member_survey.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "kv/client/client_core.h"
#include "kv/client/unary_call.h"

namespace pontoon {
namespace {

using etcdserverpb::MemberListRequest;
using etcdserverpb::MemberListResponse;
using etcdserverpb::StatusRequest;
using etcdserverpb::StatusResponse;

// Between looks that are asked for, however many calls fail.
constexpr absl::Duration kLookInterval = absl::Milliseconds(200);
// Who takes longer to say how it is, is not well.
constexpr absl::Duration kStatusTimeout = absl::Seconds(2);

// Good to listen on, but not to connect to.
bool IsWildcard(const Endpoint& endpoint) {
  return absl::StartsWith(endpoint.address(), "0.0.0.0:") ||
         absl::StartsWith(endpoint.address(), "[::]:");
}

// Where clients reach the members that serve all calls.
std::vector<Endpoint> EndpointsOf(const MemberListResponse& response) {
  std::vector<Endpoint> endpoints;
  for (const etcdserverpb::Member& member : response.members()) {
    if (member.islearner()) continue;
    for (const std::string& url : member.clienturls()) {
      const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(url, Endpoint::Tls::kSupported);
      if (endpoint.ok() && !IsWildcard(*endpoint)) endpoints.push_back(*endpoint);
    }
  }
  return endpoints;
}

}  // namespace

void MemberSurvey::Start() {
  if (core_->options().discovers_members) AskForMembers();
  AskForStatus();
}

void MemberSurvey::LookSoon() {
  if (look_is_planned_) return;
  look_is_planned_ = true;
  core_->loop()->PostAt(last_look_ + kLookInterval, [this] {
    look_is_planned_ = false;
    if (core_->closed()) return;
    for (const std::string& address : core_->balancer().addresses()) AskForStatus(address);
  });
}

void MemberSurvey::AskForMembers() {
  if (core_->closed()) return;
  using Call = UnaryCall<MemberListRequest, MemberListResponse>;
  Call::Launch(
      core_, {.prefer = Prefer::kNearest},
      [](MemberStubs& stubs, grpc::ClientContext* context, const MemberListRequest* request,
         MemberListResponse* response, std::function<void(grpc::Status)> done) {
        stubs.cluster().MemberList(context, request, response, std::move(done));
      },
      {},
      [this](absl::StatusOr<Call::Answer> answer) {
        if (answer.ok()) {
          core_->SetDiscovered(EndpointsOf(answer->response));
          LookSoon();  // at those that are new
        }
        core_->loop()->PostAt(EventLoop::After(core_->options().discovery_interval),
                              [this] { AskForMembers(); });
      });
}

void MemberSurvey::AskForStatus() {
  LookSoon();
  core_->loop()->PostAt(EventLoop::After(core_->options().probe_interval),
                        [this] { AskForStatus(); });
}

void MemberSurvey::AskForStatus(const std::string& address) {
  last_look_ = EventLoop::Now();
  using Call = UnaryCall<StatusRequest, StatusResponse>;
  Call::Launch(
      core_, {.address = address, .timeout = kStatusTimeout},
      [](MemberStubs& stubs, grpc::ClientContext* context, const StatusRequest* request,
         StatusResponse* response, std::function<void(grpc::Status)> done) {
        stubs.maintenance().Status(context, request, response, std::move(done));
      },
      {},
      [this, address](absl::StatusOr<Call::Answer> answer) {
        if (!answer.ok()) return;  // noted
        Balancer& balancer = core_->balancer();
        balancer.OnRoundTrip(address, EventLoop::Now() - answer->sent);
        balancer.OnLeader(answer->response.leader(), answer->response.raftterm());
        // Without a leader it can serve little.
        answer->response.leader() == 0 ? core_->OnCutOff(address, answer->response.header())
                                       : core_->OnSignOfLife(address, answer->response.header());
      });
}

}  // namespace pontoon
