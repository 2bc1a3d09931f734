#include "kv/client/testing/fake_member.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

using namespace etcdserverpb;  // NOLINT: the whole API
using grpc::ServerContext;
using grpc::ServerReaderWriter;
using grpc::Status;

constexpr uint64_t kClusterId = 0xc1;

// Does what `behaviour` says, or nothing, and fills the header.
template <typename Request, typename Response>
Status Behave(FakeMember* member, const char* method,
              FakeMember::Unary<Request, Response> FakeMember::Behaviour::*behaviour,
              ServerContext* context, const Request* request, Response* response) {
  member->Count(method, *context);
  member->FillHeader(response->mutable_header());
  const auto behave = member->Get().*behaviour;
  return behave == nullptr ? Status::OK : behave(context, *request, response);
}

}  // namespace

Status ErrorStatus(const kv::ApiError& error) {
  return Status(static_cast<grpc::StatusCode>(error.code), std::string(error.text));
}

void AwaitCancellation(const ServerContext* context) {
  // gRPC tells a synchronous handler in no other way.
  while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
}

class FakeMember::Services final {
 public:
  explicit Services(FakeMember* member)
      : kv_(member),
        watch_(member),
        lease_(member),
        cluster_(member),
        maintenance_(member),
        auth_(member) {}

  void RegisterIn(grpc::ServerBuilder* builder) {
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &kv_, &watch_, &lease_, &cluster_, &maintenance_, &auth_}) {
      builder->RegisterService(service);
    }
  }

 private:
  struct FakeKv final : KV::Service {
    explicit FakeKv(FakeMember* m) : member(m) {}
    Status Range(ServerContext* context, const RangeRequest* request,
                 RangeResponse* response) override {
      return Behave(member, "Range", &Behaviour::range, context, request, response);
    }
    Status Put(ServerContext* context, const PutRequest* request, PutResponse* response) override {
      return Behave(member, "Put", &Behaviour::put, context, request, response);
    }
    Status DeleteRange(ServerContext* context, const DeleteRangeRequest* request,
                       DeleteRangeResponse* response) override {
      return Behave(member, "DeleteRange", &Behaviour::delete_range, context, request, response);
    }
    Status Txn(ServerContext* context, const TxnRequest* request, TxnResponse* response) override {
      return Behave(member, "Txn", &Behaviour::txn, context, request, response);
    }
    FakeMember* const member;
  };

  struct FakeWatch final : Watch::Service {
    explicit FakeWatch(FakeMember* m) : member(m) {}
    Status Watch(ServerContext* context,
                 ServerReaderWriter<WatchResponse, WatchRequest>* stream) override {
      member->Count("Watch", *context);
      const auto behave = member->Get().watch;
      if (behave != nullptr) return behave(context, stream);
      return ErrorStatus(kv::kErrNoLeader);
    }
    FakeMember* const member;
  };

  struct FakeLease final : Lease::Service {
    explicit FakeLease(FakeMember* m) : member(m) {}
    Status LeaseGrant(ServerContext* context, const LeaseGrantRequest* request,
                      LeaseGrantResponse* response) override {
      response->set_id(77);
      response->set_ttl(request->ttl());
      return Behave(member, "LeaseGrant", &Behaviour::grant, context, request, response);
    }
    Status LeaseRevoke(ServerContext* context, const LeaseRevokeRequest* request,
                       LeaseRevokeResponse* response) override {
      return Behave(member, "LeaseRevoke", &Behaviour::revoke, context, request, response);
    }
    Status LeaseKeepAlive(
        ServerContext* context,
        ServerReaderWriter<LeaseKeepAliveResponse, LeaseKeepAliveRequest>* stream) override {
      LeaseKeepAliveRequest request;
      while (stream->Read(&request)) {
        LeaseKeepAliveResponse response;
        response.set_id(request.id());
        response.set_ttl(10);
        const Status status =
            Behave(member, "LeaseKeepAlive", &Behaviour::renew, context, &request, &response);
        if (!status.ok()) return status;
        stream->Write(response);
      }
      return Status::OK;
    }
    FakeMember* const member;
  };

  struct FakeCluster final : Cluster::Service {
    explicit FakeCluster(FakeMember* m) : member(m) {}
    Status MemberList(ServerContext* context, const MemberListRequest*,
                      MemberListResponse* response) override {
      member->Count("MemberList", *context);
      member->FillHeader(response->mutable_header());
      std::vector<std::string> urls = member->Get().others;
      urls.push_back(absl::StrCat("http://", member->address()));
      for (const std::string& url : urls) response->add_members()->add_clienturls(url);
      return Status::OK;
    }
    FakeMember* const member;
  };

  struct FakeMaintenance final : Maintenance::Service {
    explicit FakeMaintenance(FakeMember* m) : member(m) {}
    grpc::Status Status(ServerContext* context, const StatusRequest*,
                        StatusResponse* response) override {
      member->Count("Status", *context);
      member->FillHeader(response->mutable_header());
      response->set_leader(member->Get().leader);
      response->set_raftterm(member->Get().term);
      return grpc::Status::OK;
    }
    FakeMember* const member;
  };

  struct FakeAuth final : Auth::Service {
    explicit FakeAuth(FakeMember* m) : member(m) {}
    Status Authenticate(ServerContext* context, const AuthenticateRequest* request,
                        AuthenticateResponse* response) override {
      return Behave(member, "Authenticate", &Behaviour::authenticate, context, request, response);
    }
    FakeMember* const member;
  };

  FakeKv kv_;
  FakeWatch watch_;
  FakeLease lease_;
  FakeCluster cluster_;
  FakeMaintenance maintenance_;
  FakeAuth auth_;
};

FakeMember::FakeMember(uint64_t id, const std::shared_ptr<grpc::ServerCredentials>& credentials)
    : id_(id), services_(std::make_unique<Services>(this)) {
  behaviour_.leader = id;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0",
                           credentials != nullptr ? credentials : grpc::InsecureServerCredentials(),
                           &port);
  services_->RegisterIn(&builder);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr);
  address_ = absl::StrCat("127.0.0.1:", port);
}

FakeMember::~FakeMember() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void FakeMember::Set(const std::function<void(Behaviour*)>& change) {
  absl::MutexLock lock(&mutex_);
  change(&behaviour_);
}

FakeMember::Behaviour FakeMember::Get() const {
  absl::MutexLock lock(&mutex_);
  return behaviour_;
}

int FakeMember::calls(const std::string& method) const {
  return static_cast<int>(tokens(method).size());
}

bool FakeMember::AwaitCalls(const std::string& method, int count, absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  const auto have_come = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    const auto found = tokens_.find(method);
    return found != tokens_.end() && found->second.size() >= static_cast<size_t>(count);
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&have_come), timeout);
}

std::vector<std::string> FakeMember::tokens(const std::string& method) const {
  absl::MutexLock lock(&mutex_);
  const auto found = tokens_.find(method);
  return found == tokens_.end() ? std::vector<std::string>() : found->second;
}

void FakeMember::Count(const std::string& method, const ServerContext& context) {
  const auto token = context.client_metadata().find("token");
  absl::MutexLock lock(&mutex_);
  tokens_[method].emplace_back(token == context.client_metadata().end()
                                   ? std::string()
                                   : std::string(token->second.data(), token->second.size()));
}

void FakeMember::FillHeader(ResponseHeader* header) const {
  absl::MutexLock lock(&mutex_);
  header->set_cluster_id(kClusterId);
  header->set_member_id(id_);
  header->set_raft_term(behaviour_.term);
  header->set_revision(behaviour_.revision);
}

}  // namespace pontoon
