#include "cmd/pontoonctl/lease_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/lease_calls.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::LeaseKeepAliveRequest;
using etcdserverpb::LeaseKeepAliveResponse;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr int64_t kId = 0x694d8257;

// A server that answers each renewal, counted from 1, with a TTL in seconds, or with an error.
class FakeServer : public etcdserverpb::Lease::Service {
 public:
  using Answer = std::function<grpc::Status(int, int64_t*)>;

  explicit FakeServer(Answer answer) : answer_(std::move(answer)) {
    int port = 0;
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port)
                  .RegisterService(this)
                  .BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  Endpoint endpoint() const { return *Endpoint::Parse(address_); }
  int renewals() const { return renewals_; }

  grpc::Status LeaseKeepAlive(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<LeaseKeepAliveResponse, LeaseKeepAliveRequest>* stream) override {
    LeaseKeepAliveRequest request;
    while (stream->Read(&request)) {
      LeaseKeepAliveResponse response;
      response.set_id(request.id());
      int64_t ttl = 0;
      const grpc::Status status = answer_(++renewals_, &ttl);
      if (!status.ok()) return status;
      response.set_ttl(ttl);
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

 private:
  const Answer answer_;
  std::string address_;
  std::atomic<int> renewals_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

grpc::Status AlwaysOneSecond(int, int64_t* ttl) {
  *ttl = 1;
  return grpc::Status::OK;
}

LeaseKeeper::Lease LeaseOf(absl::Duration ttl) { return {kId, ttl, Deadline::After(ttl)}; }

TEST(LeaseKeeper, RenewsTheLeaseForLongerThanItWouldLive) {
  FakeServer server(AlwaysOneSecond);
  Session session({server.endpoint()});
  std::promise<void> renewed_often;
  int renewed = 0;
  {
    LeaseKeeper keeper(session, LeaseOf(absl::Milliseconds(100)),
                       {.on_renewed =
                            [&](absl::Duration ttl) {
                              EXPECT_EQ(ttl, absl::Seconds(1));
                              if (++renewed == 4) renewed_often.set_value();
                            },
                        .on_lost = [](const std::string& why) { ADD_FAILURE() << why; }});
    renewed_often.get_future().get();
  }
  EXPECT_EQ(server.renewals(), renewed);
}

TEST(LeaseKeeper, ALeaseThatTheServerDoesNotHaveIsLost) {
  FakeServer over([](int, int64_t*) { return grpc::Status::OK; });
  FakeServer refusing([](int, int64_t*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "etcdserver: requested lease not found");
  });
  for (FakeServer* server : {&over, &refusing}) {
    Session session({server->endpoint()});
    std::promise<std::string> lost;
    LeaseKeeper keeper(session, LeaseOf(absl::Seconds(3)),
                       {.on_lost = [&](const std::string& why) { lost.set_value(why); }});
    EXPECT_THAT(lost.get_future().get(),
                HasSubstr(server == &over ? "it has expired or was revoked" : "lease not found"));
    EXPECT_EQ(server->renewals(), 1);
  }
}

TEST(LeaseKeeper, ALeaseThatNobodyRenewsInItsTimeIsLost) {
  FakeServer server([](int, int64_t*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "etcdserver: no leader");
  });
  Session session({server.endpoint()});
  std::promise<std::string> lost;
  const LeaseKeeper::Lease lease = LeaseOf(absl::Milliseconds(300));
  LeaseKeeper keeper(session, lease,
                     {.on_lost = [&](const std::string& why) { lost.set_value(why); }});
  EXPECT_THAT(lost.get_future().get(),
              AnyOf(HasSubstr("no leader"), HasSubstr("no answer in time")));
  EXPECT_TRUE(lease.expiry.Passed()) << "given up while it was still valid";
  EXPECT_GT(server.renewals(), 1);
}

TEST(LeaseKeeper, GoesToAnotherEndpoint) {
  FakeServer bad([](int, int64_t*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "etcdserver: no leader");
  });
  FakeServer good(AlwaysOneSecond);
  Session session({bad.endpoint(), good.endpoint()});
  std::promise<void> renewed;
  LeaseKeeper keeper(session, LeaseOf(absl::Seconds(3)),
                     {.on_renewed = [&](absl::Duration) { renewed.set_value(); },
                      .on_lost = [](const std::string& why) { ADD_FAILURE() << why; }});
  renewed.get_future().get();
  EXPECT_EQ(bad.renewals(), 1);
}

}  // namespace
}  // namespace pontoon::ctl
