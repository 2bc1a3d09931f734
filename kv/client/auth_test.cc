// Users and tokens, and connections with TLS.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "kv/client/client.h"
#include "kv/client/outcome.h"
#include "kv/client/testing/event_list.h"
#include "kv/client/testing/fake_member.h"
#include "kv/client/watch.h"
#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::AuthenticateRequest;
using etcdserverpb::AuthenticateResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// For 127.0.0.1, signed by itself, until 2126. For this test alone.
constexpr char kCertificate[] = R"(-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUJh8gzs97wNN3COQ48bX0mqLoEiAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTE5MTQyNloYDzIxMjYxMTA1
MTkxNDI2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASGmK1Idklw9GP80DVmHS7VwpUugQAy5hcNXhr03+P+INyZe/Ii6ipM
yRRKY0/au1P7Pq8Ae9lQE3JwglXoE1vDo2QwYjAdBgNVHQ4EFgQU5f+KoznAdt/O
QISVfv1HgGiL4jYwHwYDVR0jBBgwFoAU5f+KoznAdt/OQISVfv1HgGiL4jYwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQDd+9i115oATydKRFBTpnUl90XBvSbM/ar90/lqGhMAIgIhANizVJj9B/PCjmQI
frZw+pNyoaDnVbZnoio7R/dW9yUt
-----END CERTIFICATE-----
)";
constexpr char kKey[] = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMzDJaINebPhCacNb
rehgmk1b7HPUGIUKQPtM3pSB5DyhRANCAASGmK1Idklw9GP80DVmHS7VwpUugQAy
5hcNXhr03+P+INyZe/Ii6ipMyRRKY0/au1P7Pq8Ae9lQE3JwglXoE1vD
-----END PRIVATE KEY-----
)";

std::shared_ptr<grpc::ServerCredentials> ServerTls() {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({.private_key = kKey, .cert_chain = kCertificate});
  return grpc::SslServerCredentials(options);
}

// Of a client that trusts those that `roots` vouch for.
ClientOptions WithTls(const FakeMember& member, const std::string& roots) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = roots;
  return {.endpoints = {absl::StrCat("https://", member.address())},
          .credentials = grpc::SslCredentials(options),
          .discovers_members = false};
}

// A watch, and what it told.
struct RecordedWatch {
  explicit RecordedWatch(Client* client)
      : watch(client, ForPrefix<etcdserverpb::WatchCreateRequest>("k"),
              {.on_events = [](const auto&) {},
               .on_watching = [this] { watching.Add(true); },
               .on_end = [this](const WatchEnd& end) { ends.Add(end); }}) {}

  // That it was accepted so often, and goes on.
  void ExpectAccepted(size_t times) {
    EXPECT_EQ(watching.Await(times).size(), times);
    EXPECT_TRUE(ends.Get().empty()) << ends.Get()[0].status;
  }

  EventList<bool> watching;
  EventList<WatchEnd> ends;
  const Watch watch;
};

// A member that takes one token at a time: "token 1", then "token 2", ...
class AuthTest : public ::testing::Test {
 protected:
  AuthTest() {
    a_.Set([this](FakeMember::Behaviour* behaviour) {
      behaviour->authenticate = [this](grpc::ServerContext*, const AuthenticateRequest& request,
                                       AuthenticateResponse* response) {
        if (request.name() != "ann" || request.password() != "secret") {
          return ErrorStatus(kv::kErrAuthFailed);
        }
        response->set_token(absl::StrCat("token ", current_.load()));
        return grpc::Status::OK;
      };
      behaviour->range = [this](grpc::ServerContext* context, const RangeRequest&, RangeResponse*) {
        return Takes(*context) ? grpc::Status::OK : ErrorStatus(kv::kErrInvalidAuthToken);
      };
    });
  }

  bool Takes(const grpc::ServerContext& context) const {
    const auto token = context.client_metadata().find("token");
    return token != context.client_metadata().end() &&
           token->second == absl::StrCat("token ", current_.load());
  }
  // Watches are accepted with the right token, and then nothing happens.
  void ServeWatches() {
    a_.Set([this](FakeMember::Behaviour* behaviour) {
      behaviour->watch = [this](grpc::ServerContext* context, auto* stream) {
        etcdserverpb::WatchRequest request;
        stream->Read(&request);
        etcdserverpb::WatchResponse response;
        response.set_created(true);
        if (!Takes(*context)) {
          response.set_canceled(true);
          response.set_cancel_reason(
              "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token");
        }
        stream->Write(response);
        AwaitCancellation(context);
        return grpc::Status::CANCELLED;
      };
    });
  }
  std::unique_ptr<Client> ClientWith(ClientOptions options) {
    options.endpoints = {a_.address()};
    options.discovers_members = false;
    options.timeout = kPatience;
    auto client = Client::Create(options);
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  std::unique_ptr<Client> ClientOf(const UserPassword& user) { return ClientWith({.user = user}); }

  std::atomic<int> current_ = 1;
  FakeMember a_{1};
};

TEST_F(AuthTest, WithoutAUserThereIsNoToken) {
  const auto client = ClientWith({});
  EXPECT_TRUE(kv::Is(client->Get("k").status(), kv::kErrInvalidAuthToken));
  EXPECT_THAT(a_.tokens("Range"), ElementsAre(""));
}

TEST_F(AuthTest, CallsCarryTheTokenOfTheUser) {
  const auto client = ClientOf({"ann", "secret"});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client->Get("k").ok());
  EXPECT_THAT(a_.tokens("Range"), ElementsAre("token 1", "token 1", "token 1"));
  EXPECT_THAT(a_.tokens("Authenticate"), Each(""));
}

TEST_F(AuthTest, AStaleTokenIsRenewedOnceForAllCalls) {
  const auto client = ClientOf({"ann", "secret"});
  ASSERT_TRUE(client->Get("k").ok());
  current_ = 2;
  const int before = a_.calls("Authenticate");
  EventList<absl::Status> ends;
  for (int i = 0; i < 10; ++i) {
    client->GetAsync("k", {},
                     [&](const absl::StatusOr<GetResult>& result) { ends.Add(result.status()); });
  }
  for (const absl::Status& end : ends.Await(10)) EXPECT_TRUE(end.ok()) << end;
  EXPECT_EQ(a_.calls("Authenticate"), before + 1);
}

TEST_F(AuthTest, ALateRefusalIsAnsweredWithTheTokenThatIsThere) {
  EventList<absl::Status> ends;
  absl::Notification may_refuse;
  std::atomic<int> late_calls = 0;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->range = [&](grpc::ServerContext* context, const RangeRequest& request,
                           RangeResponse*) {
      if (request.key() == "late" && late_calls++ == 0) may_refuse.WaitForNotification();
      return Takes(*context) ? grpc::Status::OK : ErrorStatus(kv::kErrInvalidAuthToken);
    };
  });
  const auto client =
      ClientWith({.user = UserPassword{"ann", "secret"}, .attempt_timeout = kPatience});
  client->GetAsync("late", {},
                   [&](const absl::StatusOr<GetResult>& result) { ends.Add(result.status()); });
  ASSERT_TRUE(a_.AwaitCalls("Range", 1, kPatience));
  current_ = 2;
  EXPECT_TRUE(client->Get("k").ok());
  const int before = a_.calls("Authenticate");
  may_refuse.Notify();
  ASSERT_EQ(ends.Await(1).size(), 1u);
  EXPECT_TRUE(ends.Get()[0].ok()) << ends.Get()[0];
  EXPECT_EQ(a_.calls("Authenticate"), before);
}

TEST_F(AuthTest, AWrongPasswordIsRefused) {
  const auto client = ClientOf({"ann", "wrong"});
  EXPECT_TRUE(kv::Is(client->Get("k").status(), kv::kErrAuthFailed));
  EXPECT_EQ(a_.calls("Range"), 0);
}

TEST_F(AuthTest, WithoutUsersInTheClusterThereIsNoToken) {
  a_.Set([](FakeMember::Behaviour* behaviour) {
    behaviour->authenticate = [](auto...) { return ErrorStatus(kv::kErrAuthNotEnabled); };
    behaviour->range = nullptr;
  });
  const auto client = ClientOf({"ann", "secret"});
  EXPECT_TRUE(client->Get("k").ok());
  EXPECT_TRUE(client->Get("k").ok());
  EXPECT_THAT(a_.tokens("Range"), ElementsAre("", ""));
}

TEST_F(AuthTest, ATokenMayComeFromElsewhere) {
  std::atomic<int> provided = 0;
  const auto client = ClientWith(
      {.token_provider = [&](const std::function<void(absl::StatusOr<std::string>)>& done) {
        done(absl::StrCat("token ", ++provided));
      }});
  EXPECT_TRUE(client->Get("k").ok());
  current_ = 2;
  EXPECT_TRUE(client->Get("k").ok());
  EXPECT_EQ(provided, 2);
  EXPECT_EQ(a_.calls("Authenticate"), 0);
}

TEST_F(AuthTest, ATokenThatDoesNotComeDoesNotHoldACallUp) {
  EventList<absl::Status> ends;
  const auto client = ClientWith({.token_provider = [](const auto&) {}});
  client->GetAsync("k", {.timeout = absl::Milliseconds(50)},
                   [&](const absl::StatusOr<GetResult>& result) { ends.Add(result.status()); });
  ASSERT_EQ(ends.Await(1).size(), 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ends.Get()[0])) << ends.Get()[0];
}

TEST_F(AuthTest, AnEmptyTokenIsNone) {
  const auto client = ClientWith({.token_provider = [](const auto& done) { done(""); }});
  const auto got = client->Get("k");
  EXPECT_TRUE(absl::IsUnauthenticated(got.status())) << got.status();
  EXPECT_EQ(a_.calls("Range"), 0);
}

TEST_F(AuthTest, AWatchRenewsItsToken) {
  ServeWatches();
  const auto client = ClientOf({"ann", "secret"});
  ASSERT_TRUE(client->Get("k").ok());
  current_ = 2;
  RecordedWatch watch(client.get());
  watch.ExpectAccepted(1);
  EXPECT_THAT(a_.tokens("Watch"), ElementsAre("token 1", "token 2"));
}

TEST_F(AuthTest, AQuietWatchRenewsItsTokenAgainAndAgain) {
  a_.Set([this](FakeMember::Behaviour* behaviour) {
    behaviour->watch = [this](grpc::ServerContext* context, auto* stream) {
      if (!Takes(*context)) return ErrorStatus(kv::kErrInvalidAuthToken);
      etcdserverpb::WatchResponse response;
      response.set_created(true);
      stream->Write(response);
      if (++current_ <= 3) return ErrorStatus(kv::kErrStopped);
      AwaitCancellation(context);
      return grpc::Status::CANCELLED;
    };
  });
  const auto client = ClientOf({"ann", "secret"});
  RecordedWatch watch(client.get());
  watch.ExpectAccepted(3);
}

// The cluster has no users when the watch begins.
TEST_F(AuthTest, AWatchOutlastsThatUsersAreSwitchedOn) {
  std::atomic<bool> has_users = false;
  a_.Set([&](FakeMember::Behaviour* behaviour) {
    behaviour->authenticate = [&](grpc::ServerContext*, const AuthenticateRequest&,
                                  AuthenticateResponse* response) {
      if (!has_users) return ErrorStatus(kv::kErrAuthNotEnabled);
      response->set_token("token 1");
      return grpc::Status::OK;
    };
    behaviour->watch = [&](grpc::ServerContext* context, auto* stream) {
      etcdserverpb::WatchResponse response;
      response.set_created(true);
      if (has_users && !Takes(*context)) {
        response.set_canceled(true);
        response.set_cancel_reason(
            "rpc error: code = InvalidArgument desc = etcdserver: user name is empty");
      }
      stream->Write(response);
      if (!has_users.exchange(true)) return ErrorStatus(kv::kErrStopped);
      AwaitCancellation(context);
      return grpc::Status::CANCELLED;
    };
  });
  const auto client = ClientOf({"ann", "secret"});
  RecordedWatch watch(client.get());
  watch.ExpectAccepted(2);
  EXPECT_THAT(a_.tokens("Watch"), ElementsAre("", "", "token 1"));
}

TEST_F(AuthTest, AWatchThatMayNotBeSaysWhy) {
  ServeWatches();
  const auto client = ClientWith({});
  RecordedWatch watch(client.get());
  ASSERT_EQ(watch.ends.Await(1).size(), 1u);
  const absl::Status end = watch.ends.Get()[0].status;
  EXPECT_TRUE(absl::IsUnauthenticated(end)) << end;
  EXPECT_THAT(std::string(end.message()), HasSubstr("invalid auth token"));
}

// Each question has the time of a usual call; this one has more.
TEST_F(AuthTest, ACallWaitsForATokenAsLongAsItHasTime) {
  std::atomic<int> questions = 0;
  const auto client = Client::Create({.endpoints = {a_.address()},
                                      .token_provider =
                                          [&](const auto& done) {
                                            if (++questions > 2) done("token 1");
                                          },
                                      .timeout = absl::Milliseconds(20),
                                      .discovers_members = false});
  ASSERT_TRUE(client.ok()) << client.status();
  const auto got = (*client)->Get("k", {.timeout = kPatience});
  EXPECT_TRUE(got.ok()) << got.status();
}

TEST_F(AuthTest, AWatchOutlastsAProviderThatForgetsToAnswer) {
  ServeWatches();
  std::vector<std::function<void(absl::StatusOr<std::string>)>> questions;
  const auto client = Client::Create({.endpoints = {a_.address()},
                                      .token_provider =
                                          [&](const auto& done) {
                                            questions.push_back(done);
                                            if (questions.size() < 3) return;
                                            questions[0](absl::PermissionDeniedError("too late"));
                                            done("token 1");
                                          },
                                      .timeout = absl::Milliseconds(20),
                                      .discovers_members = false});
  ASSERT_TRUE(client.ok()) << client.status();
  RecordedWatch watch(client->get());
  watch.ExpectAccepted(1);
}

TEST(TlsTest, AConnectionMayBeOneWithTls) {
  const FakeMember member(1, ServerTls());
  const auto client = Client::Create(WithTls(member, kCertificate));
  ASSERT_TRUE(client.ok()) << client.status();
  const auto put = (*client)->Put("k", "v", {.timeout = kPatience});
  EXPECT_TRUE(put.ok()) << put.status();
}

TEST(TlsTest, AMemberThatNobodyVouchesForGetsNothing) {
  const FakeMember member(1, ServerTls());
  const auto client = Client::Create(WithTls(member, ""));  // the roots of the system
  ASSERT_TRUE(client.ok()) << client.status();
  const auto put = (*client)->Put("k", "v", {.timeout = absl::Milliseconds(500)});
  EXPECT_TRUE(absl::IsUnavailable(put.status())) << put.status();
  EXPECT_FALSE(IsOutcomeUnknown(put.status()));
  EXPECT_EQ(member.calls("Put"), 0);
}

TEST(TlsTest, AMemberWithTlsIsNotSpokenToWithout) {
  const FakeMember member(1, ServerTls());
  const auto client = Client::Create({.endpoints = {member.address()}, .discovers_members = false});
  ASSERT_TRUE(client.ok()) << client.status();
  const auto put = (*client)->Put("k", "v", {.timeout = absl::Milliseconds(500)});
  EXPECT_FALSE(put.ok());
  EXPECT_EQ(member.calls("Put"), 0);
}

}  // namespace
}  // namespace pontoon
