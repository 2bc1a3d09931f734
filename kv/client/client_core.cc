#include "kv/client/client_core.h"

#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "kv/client/authenticator.h"
#include "kv/client/member_survey.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

// The endpoints that the options name, if the options make sense.
absl::StatusOr<std::vector<Endpoint>> EndpointsOf(const ClientOptions& options) {
  if (options.endpoints.empty()) return absl::InvalidArgumentError("there is no endpoint");
  std::vector<Endpoint> endpoints;
  for (const std::string& text : options.endpoints) {
    absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(text, Endpoint::Tls::kSupported);
    if (!endpoint.ok()) return endpoint.status();
    if (endpoint->wants_tls() && options.credentials == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("endpoint ", text, " asks for TLS, and there are no credentials"));
    }
    endpoints.push_back(*std::move(endpoint));
  }
  if (options.user.has_value() && options.token_provider != nullptr) {
    return absl::InvalidArgumentError("there is both a user and a token provider");
  }
  if (options.timeout <= absl::ZeroDuration() || options.attempt_timeout <= absl::ZeroDuration() ||
      options.discovery_interval <= absl::ZeroDuration() ||
      options.probe_interval <= absl::ZeroDuration() ||
      options.backoff.first <= absl::ZeroDuration() ||
      options.backoff.longest <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("timeouts, intervals and pauses must be more than nothing");
  }
  return endpoints;
}

}  // namespace

absl::Status ClientGone() { return absl::CancelledError("pontoon: the client is gone"); }

absl::StatusOr<std::unique_ptr<ClientCore>> ClientCore::Create(const ClientOptions& options) {
  absl::StatusOr<std::vector<Endpoint>> endpoints = EndpointsOf(options);
  if (!endpoints.ok()) return endpoints.status();
  std::unique_ptr<ClientCore> core(new ClientCore(options, *std::move(endpoints)));
  core->loop_->Post([raw = core.get()] { raw->survey_->Start(); });
  return core;
}

ClientCore::ClientCore(const ClientOptions& options, std::vector<Endpoint> endpoints)
    : options_(options),
      endpoints_(std::move(endpoints)),
      credentials_(options.credentials != nullptr ? options.credentials
                                                  : grpc::InsecureChannelCredentials()),
      loop_(std::make_shared<EventLoop>()),
      prng_(RandomSeed()),
      balancer_(options.balancer),
      leader_delay_(options.hedge_after),
      nearest_delay_(options.hedge_after),
      authenticator_(std::make_unique<Authenticator>(this)),
      survey_(std::make_unique<MemberSurvey>(this)) {
  SetDiscovered({});
}

ClientCore::~ClientCore() = default;

void ClientCore::Run(Task task) {
  if (!loop_->IsCurrent()) return loop_->Post(std::move(task));  // before Shutdown's own
  OnCallBegun();
  loop_->Post([this, task = std::move(task)]() mutable {
    std::move(task)();
    OnCallEnded();
  });
}

void ClientCore::Shutdown() {
  CHECK(!loop_->IsCurrent()) << "a client cannot be destroyed by one of its own callbacks";
  absl::Notification idle;
  loop_->RunAndWait([&] {
    closed_ = true;
    on_idle_ = [&idle] { idle.Notify(); };
    OnCallBegun();  // not idle before all have heard: who hears of it may begin calls
    // Each may end others, and remove itself.
    const auto operations = operations_;
    for (const auto& operation : operations) {
      if (operations_.contains(operation)) operation->OnShutdown();
    }
    OnCallEnded();
  });
  idle.WaitForNotification();
  loop_->Stop();
}

std::shared_ptr<MemberStubs> ClientCore::StubsOf(const std::string& address) {
  std::shared_ptr<MemberStubs>& stubs = stubs_[address];
  if (stubs == nullptr) stubs = std::make_shared<MemberStubs>(address, credentials_);
  return stubs;
}

void ClientCore::SetDiscovered(const std::vector<Endpoint>& discovered) {
  std::set<std::string> addresses;
  for (const Endpoint& endpoint : endpoints_) addresses.insert(endpoint.address());
  for (const Endpoint& endpoint : discovered) {
    // Whoever gave credentials wants no connection without them, and the other way round.
    const bool has_tls = options_.credentials != nullptr;
    if (endpoint.wants_tls() == has_tls) addresses.insert(endpoint.address());
  }
  balancer_.SetAddresses({addresses.begin(), addresses.end()});
  std::erase_if(stubs_, [&](const auto& entry) { return !addresses.contains(entry.first); });
}

void ClientCore::OnAnswer(const std::string& address, const etcdserverpb::ResponseHeader& header) {
  balancer_.OnAnswer(address, header.member_id(), header.raft_term());
  LookForLeader();
}

void ClientCore::OnSignOfLife(const std::string& address,
                              const etcdserverpb::ResponseHeader& header) {
  balancer_.OnSignOfLife(address, header.member_id(), header.raft_term());
  LookForLeader();
}

void ClientCore::OnCutOff(const std::string& address, const etcdserverpb::ResponseHeader& header) {
  balancer_.OnProbeFailure(address, header.member_id(), header.raft_term(), EventLoop::Now());
  LookForLeader();
}

void ClientCore::OnFailure(const std::string& address) {
  balancer_.OnFailure(address, EventLoop::Now());
  survey_->LookSoon();
}

void ClientCore::Add(const std::shared_ptr<Operation>& operation) {
  operations_.insert(operation);
  if (closed_) operation->OnShutdown();
}

void ClientCore::Remove(const std::shared_ptr<Operation>& operation) {
  operations_.erase(operation);
  NotifyIfIdle();
}

void ClientCore::OnCallEnded() {
  --calls_;
  CHECK_GE(calls_, 0);
  NotifyIfIdle();
}

void ClientCore::LookForLeader() {
  if (!balancer_.KnowsLeader()) survey_->LookSoon();
}

void ClientCore::NotifyIfIdle() {
  if (closed_ && calls_ == 0 && operations_.empty() && on_idle_ != nullptr) {
    std::exchange(on_idle_, nullptr)();
  }
}

}  // namespace pontoon
