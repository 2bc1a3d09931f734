#include "kv/lease/lessor_client.h"

#include <grpc/grpc.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/service/url.h"

namespace pontoon::kv {
namespace {

using pontoon::peer::v1::LeaseIds;
using pontoon::peer::v1::LeaseSeconds;

// A leader that comes back is reached again soon.
constexpr int kReconnectMs = 1000;

// A question under way.
struct Call {
  std::shared_ptr<pontoon::peer::v1::Lessor::Stub> stub;  // as long as it is used
  grpc::ClientContext context;
  LeaseIds request;
  LeaseSeconds response;
  LeaseAnswerCallback done;
};

LeaseAnswer AnswerOf(const Call& call, const grpc::Status& status) {
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  if (call.response.seconds_size() != call.request.ids_size()) {
    return absl::UnavailableError("the answer does not fit the question");
  }
  return std::vector<int64_t>(call.response.seconds().begin(), call.response.seconds().end());
}

}  // namespace

void LessorClient::Ask(const std::string& peer_url, const LeaseQuestion& question,
                       absl::Duration timeout, LeaseAnswerCallback done) {
  auto call = std::make_shared<Call>();
  call->stub = StubFor(peer_url);
  call->done = std::move(done);
  for (const LeaseId lease : question.leases) call->request.add_ids(lease.value());
  call->context.set_deadline(std::chrono::system_clock::now() +
                             absl::ToChronoMilliseconds(timeout));
  const auto finish = [call](const grpc::Status& status) {
    std::move(call->done)(AnswerOf(*call, status));
  };
  if (question.kind == LeaseQuestion::Kind::kRenew) {
    call->stub->async()->Renew(&call->context, &call->request, &call->response, finish);
  } else {
    call->stub->async()->TimeLeft(&call->context, &call->request, &call->response, finish);
  }
}

std::shared_ptr<LessorClient::Stub> LessorClient::StubFor(const std::string& peer_url) {
  if (peer_url == peer_url_) return stub_;
  const absl::StatusOr<Url> url = ParseUrl(peer_url);
  const std::string address = url.ok() ? url->HostPort() : peer_url;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
  stub_ = pontoon::peer::v1::Lessor::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  peer_url_ = peer_url;
  return stub_;
}

}  // namespace pontoon::kv
