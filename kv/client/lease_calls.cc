#include "kv/client/lease_calls.h"

#include <utility>

namespace pontoon {
namespace {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseRevokeResponse;

using GrpcDone = std::function<void(grpc::Status)>;

// A stream with one request and one answer on it, which owns itself.
class RenewalStream final
    : public grpc::ClientBidiReactor<LeaseKeepAliveRequest, LeaseKeepAliveResponse> {
 public:
  RenewalStream(MemberStubs& stubs, grpc::ClientContext* context,
                const LeaseKeepAliveRequest* request, LeaseKeepAliveResponse* response,
                GrpcDone done)
      : done_(std::move(done)) {
    stubs.lease().LeaseKeepAlive(context, this);
    StartWriteLast(request, grpc::WriteOptions());
    StartRead(response);
    StartCall();
  }

  void OnReadDone(bool ok) override { answered_ = ok; }

  void OnDone(const grpc::Status& status) override {
    grpc::Status end = status;
    if (answered_) {
      end = grpc::Status::OK;
    } else if (end.ok()) {
      end = {grpc::StatusCode::UNAVAILABLE, "the server ended the stream without an answer"};
    }
    const GrpcDone done = std::move(done_);
    delete this;
    done(end);
  }

 private:
  GrpcDone done_;
  bool answered_ = false;
};

}  // namespace

void SendGrant(ClientCore* core, int64_t ttl_seconds, absl::Duration timeout,
               Callback<GrantCall::Answer> done) {
  LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  GrantCall::Launch(
      core, {.effect = Effect::kRepeatable, .timeout = timeout},
      [](MemberStubs& stubs, grpc::ClientContext* context, const LeaseGrantRequest* request,
         LeaseGrantResponse* response,
         GrpcDone done) { stubs.lease().LeaseGrant(context, request, response, std::move(done)); },
      std::move(request), std::move(done));
}

void SendRenew(ClientCore* core, int64_t lease, absl::Duration timeout,
               absl::Duration attempt_timeout, Callback<RenewCall::Answer> done) {
  LeaseKeepAliveRequest request;
  request.set_id(lease);
  RenewCall::Launch(
      core, {.effect = Effect::kNone, .timeout = timeout, .attempt_timeout = attempt_timeout},
      [](MemberStubs& stubs, grpc::ClientContext* context, const LeaseKeepAliveRequest* request,
         LeaseKeepAliveResponse* response,
         GrpcDone done) { new RenewalStream(stubs, context, request, response, std::move(done)); },
      std::move(request), std::move(done));
}

void SendRevoke(ClientCore* core, int64_t lease, Callback<RevokeCall::Answer> done) {
  LeaseRevokeRequest request;
  request.set_id(lease);
  RevokeCall::Launch(
      core, {.effect = Effect::kRepeatable},
      [](MemberStubs& stubs, grpc::ClientContext* context, const LeaseRevokeRequest* request,
         LeaseRevokeResponse* response,
         GrpcDone done) { stubs.lease().LeaseRevoke(context, request, response, std::move(done)); },
      std::move(request), std::move(done));
}

}  // namespace pontoon
