#include "cmd/pontoonctl/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::PutRequest;
using etcdserverpb::PutResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A server that answers its first calls as it was told, and those after with OK.
class FakeServer : public etcdserverpb::KV::Service {
 public:
  explicit FakeServer(std::vector<grpc::Status> answers = {}) : answers_(std::move(answers)) {
    int port = 0;
    server_ = grpc::ServerBuilder()
                  .AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port)
                  .RegisterService(this)
                  .BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }

  Endpoint endpoint() const { return *Endpoint::Parse(address_); }
  size_t calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

  grpc::Status Put(grpc::ServerContext*, const PutRequest*, PutResponse*) override {
    return NextAnswer();
  }
  grpc::Status Range(grpc::ServerContext*, const RangeRequest*, RangeResponse*) override {
    return NextAnswer();
  }

 private:
  grpc::Status NextAnswer() {
    absl::MutexLock lock(&mutex_);
    return calls_ < answers_.size() ? answers_[calls_++] : (++calls_, grpc::Status::OK);
  }

  const std::vector<grpc::Status> answers_;
  std::string address_;
  absl::Mutex mutex_;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  // Last, so that no call outlives what it uses.
  std::unique_ptr<grpc::Server> server_;
};

// A port of the loopback interface that refuses connections: bound, and nobody listens.
class RefusingPort {
 public:
  RefusingPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~RefusingPort() { close(fd_); }

  Endpoint endpoint() const { return *Endpoint::Parse(address_); }

 private:
  const int fd_;
  std::string address_;
};

const grpc::Status kLost(grpc::StatusCode::UNAVAILABLE, "etcdserver: leader changed");
const grpc::Status kNoLeader(grpc::StatusCode::UNAVAILABLE, "etcdserver: no leader");
const grpc::Status kTooLarge(grpc::StatusCode::INVALID_ARGUMENT, "etcdserver: too large");

// Long enough for a slow machine, where the test expects success before the deadline.
const absl::Duration kLong = absl::Seconds(30);

Reply Get(Session& session, absl::Duration timeout = kLong) {
  return session.Read(Deadline::After(timeout), [](Server& server, grpc::ClientContext* context) {
    RangeResponse response;
    return server.kv().Range(context, RangeRequest(), &response);
  });
}

Reply Put(Session& session, absl::Duration timeout = kLong) {
  return session.Write(Deadline::After(timeout), [](Server& server, grpc::ClientContext* context) {
    PutResponse response;
    return server.kv().Put(context, PutRequest(), &response);
  });
}

TEST(Session, AnAnsweredRequestIsSentOnce) {
  FakeServer server;
  Session session({server.endpoint()});
  EXPECT_TRUE(Get(session).ok());
  EXPECT_TRUE(Put(session).ok());
  EXPECT_EQ(server.calls(), 2u);
}

TEST(Session, AReadIsSentAgainWhereItsAnswerIsLost) {
  FakeServer server({kLost, kLost});
  Session session({server.endpoint()});
  EXPECT_TRUE(Get(session).ok());
  EXPECT_EQ(server.calls(), 3u);
}

TEST(Session, AReadGoesToTheNextEndpoint) {
  FakeServer bad({kLost}), good;
  Session session({bad.endpoint(), good.endpoint()});
  EXPECT_EQ(Get(session).endpoint, good.endpoint().address());
  // And stays there.
  EXPECT_EQ(Get(session).endpoint, good.endpoint().address());
  EXPECT_EQ(bad.calls(), 1u);
}

TEST(Session, AWriteIsNotSentAgainWhereItsAnswerIsLost) {
  FakeServer bad({kLost}), good;
  Session session({bad.endpoint(), good.endpoint()});
  EXPECT_EQ(Put(session).outcome, Outcome::kUnknown);
  EXPECT_EQ(bad.calls(), 1u);
  EXPECT_EQ(good.calls(), 0u);
}

TEST(Session, AWriteIsSentAgainWhereItWasSurelyNotApplied) {
  FakeServer bad({kNoLeader}), good;
  Session session({bad.endpoint(), good.endpoint()});
  EXPECT_TRUE(Put(session).ok());
  EXPECT_EQ(bad.calls(), 1u);
  EXPECT_EQ(good.calls(), 1u);
}

TEST(Session, ARefusalIsFinal) {
  FakeServer server({kTooLarge, kTooLarge}), other;
  Session session({server.endpoint(), other.endpoint()});
  EXPECT_EQ(Put(session).outcome, Outcome::kRefused);
  EXPECT_EQ(Get(session).outcome, Outcome::kRefused);
  EXPECT_EQ(other.calls(), 0u);
}

TEST(Session, PassesOverEndpointsThatRefuseConnections) {
  RefusingPort nobody;
  FakeServer server;
  Session session({nobody.endpoint(), server.endpoint()});
  EXPECT_EQ(Put(session).endpoint, server.endpoint().address());
}

TEST(Session, WithoutAnyConnectionNamesAllEndpointsAndTheReasons) {
  RefusingPort one, two;
  Session session({one.endpoint(), two.endpoint()});
  const Reply reply = Put(session, absl::Milliseconds(100));
  EXPECT_EQ(reply.outcome, Outcome::kNotApplied);
  const Ending ending = EndingOfWrite(reply);
  EXPECT_EQ(ending.code, ExitCode::kFailed);
  EXPECT_THAT(ending.message,
              AllOf(HasSubstr(absl::StrCat("cannot connect to ", one.endpoint().address(),
                                           " (Connection refused), ", two.endpoint().address(),
                                           " (Connection refused): is a server running")),
                    HasSubstr("(UNAVAILABLE)")));
}

TEST(Session, AReadGivesUpAtTheDeadline) {
  FakeServer server(std::vector<grpc::Status>(1000, kLost));
  Session session({server.endpoint()});
  const Reply reply = Get(session, absl::Milliseconds(200));
  EXPECT_FALSE(reply.ok());
  EXPECT_GE(server.calls(), 2u);
  EXPECT_LE(server.calls(), 20u) << "there must be pauses between attempts";
}

TEST(Session, GivesUpWithTheLastAnswerThatSaysWhy) {
  const grpc::Status late(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded");
  std::vector<grpc::Status> answers(1000, late);
  answers[1] = kLost;
  FakeServer server(answers);
  Session session({server.endpoint()});
  const Reply reply = Get(session, absl::Milliseconds(200));
  EXPECT_GE(server.calls(), 3u);
  EXPECT_EQ(reply.status.error_message(), kLost.error_message());

  FakeServer silent(std::vector<grpc::Status>(1000, late));
  Session other({silent.endpoint()});
  EXPECT_EQ(Get(other, absl::Milliseconds(200)).status.error_code(), late.error_code());
}

TEST(AskOnce, DoesNotAskTwice) {
  FakeServer server({kLost});
  const Reply reply = AskOnce(server.endpoint(), Deadline::After(kLong),
                              [](Server& target, grpc::ClientContext* context) {
                                RangeResponse response;
                                return target.kv().Range(context, RangeRequest(), &response);
                              });
  EXPECT_EQ(reply.outcome, Outcome::kUnknown);
  EXPECT_EQ(server.calls(), 1u);
}

}  // namespace
}  // namespace pontoon::ctl
