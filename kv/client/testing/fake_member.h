// FakeMember: a server that behaves, or misbehaves, as a test wants it to.

#ifndef PONTOON_KV_CLIENT_TESTING_FAKE_MEMBER_H_
#define PONTOON_KV_CLIENT_TESTING_FAKE_MEMBER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "kv/errors.h"
#include "proto/rpc.grpc.pb.h"

namespace pontoon {

// An error of the API as gRPC carries it.
grpc::Status ErrorStatus(const kv::ApiError& error);

// Waits until the client has cancelled a call, as it does with what it does not need any more.
void AwaitCancellation(const grpc::ServerContext* context);

// Answers on the loopback interface, on threads of gRPC; a behaviour may take its time. What is not
// said is done as a member does it that leads and has nothing to tell.
//
// Thread safety: all methods may be called from any thread.
class FakeMember {
 public:
  template <typename Request, typename Response>
  using Unary = std::function<grpc::Status(grpc::ServerContext*, const Request&, Response*)>;
  template <typename Request, typename Response>
  using Stream = std::function<grpc::Status(grpc::ServerContext*,
                                            grpc::ServerReaderWriter<Response, Request>*)>;

  struct Behaviour {
    Unary<etcdserverpb::RangeRequest, etcdserverpb::RangeResponse> range;
    Unary<etcdserverpb::PutRequest, etcdserverpb::PutResponse> put;
    Unary<etcdserverpb::DeleteRangeRequest, etcdserverpb::DeleteRangeResponse> delete_range;
    Unary<etcdserverpb::TxnRequest, etcdserverpb::TxnResponse> txn;
    Stream<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse> watch;
    Unary<etcdserverpb::LeaseGrantRequest, etcdserverpb::LeaseGrantResponse> grant;
    Unary<etcdserverpb::LeaseRevokeRequest, etcdserverpb::LeaseRevokeResponse> revoke;
    Unary<etcdserverpb::LeaseKeepAliveRequest, etcdserverpb::LeaseKeepAliveResponse> renew;
    Unary<etcdserverpb::AuthenticateRequest, etcdserverpb::AuthenticateResponse> authenticate;
    // The members' client URLs, besides this one's own.
    std::vector<std::string> others;
    uint64_t leader = 1;
    uint64_t term = 1;
    int64_t revision = 10;
  };

  // `credentials`: null for none.
  explicit FakeMember(uint64_t id,
                      const std::shared_ptr<grpc::ServerCredentials>& credentials = nullptr);
  // Cancels the calls that are under way, and waits for them.
  ~FakeMember();

  FakeMember(const FakeMember&) = delete;
  FakeMember& operator=(const FakeMember&) = delete;

  const std::string& address() const { return address_; }

  // Changes the behaviour of calls that come from now on.
  void Set(const std::function<void(Behaviour*)>& change);
  Behaviour Get() const;

  // How many calls of a method came, such as "Put".
  int calls(const std::string& method) const;
  // Waits until so many have come.
  bool AwaitCalls(const std::string& method, int count, absl::Duration timeout) const;
  // Of the calls of a method in turn: their token, "" if there was none.
  std::vector<std::string> tokens(const std::string& method) const;

  void Count(const std::string& method, const grpc::ServerContext& context);
  void FillHeader(etcdserverpb::ResponseHeader* header) const;
  uint64_t id() const { return id_; }

 private:
  class Services;

  const uint64_t id_;
  mutable absl::Mutex mutex_;
  Behaviour behaviour_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> tokens_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_TESTING_FAKE_MEMBER_H_
