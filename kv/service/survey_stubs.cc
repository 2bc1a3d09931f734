#include "kv/service/survey_stubs.h"

#include <grpc/grpc.h>
#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "kv/service/url.h"

namespace pontoon::kv {
namespace {

// Members come and go at few addresses; those of long ago are not kept for ever.
constexpr size_t kStubsMax = 64;
// Whoever comes back is seen again soon.
constexpr int kReconnectMs = 1000;

}  // namespace

std::shared_ptr<SurveyStubs::Stub> SurveyStubs::For(const std::string& peer_url) {
  std::lock_guard lock(mutex_);
  if (const auto found = stubs_.find(peer_url); found != stubs_.end()) return found->second;
  if (stubs_.size() >= kStubsMax) stubs_.clear();
  const absl::StatusOr<Url> url = ParseUrl(peer_url);
  const std::string address = url.ok() ? url->HostPort() : peer_url;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
  std::shared_ptr<Stub> stub = pontoon::peer::v1::Survey::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  stubs_.emplace(peer_url, stub);
  return stub;
}

}  // namespace pontoon::kv
