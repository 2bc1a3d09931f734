// Users and tokens, and connections with TLS.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/client/client.h"
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
  const auto client = ClientWith({.token_provider = [](const auto&) {}});
  const auto got = client->Get("k", {.timeout = absl::Milliseconds(50)});
  EXPECT_TRUE(absl::IsDeadlineExceeded(got.status())) << got.status();
}

TEST_F(AuthTest, AWatchRenewsItsToken) {
  a_.Set([this](FakeMember::Behaviour* behaviour) {
    behaviour->watch = [this](grpc::ServerContext* context, auto* stream) {
      etcdserverpb::WatchRequest request;
      stream->Read(&request);
      etcdserverpb::WatchResponse response;
      response.set_created(true);
      if (!Takes(*context)) {
        response.set_canceled(true);
        response.set_cancel_reason(
            "rpc error: code = Unauthenticated desc = etcdserver: invalid "
            "auth token");
      }
      stream->Write(response);
      AwaitCancellation(context);
      return grpc::Status::CANCELLED;
    };
  });
  const auto client = ClientOf({"ann", "secret"});
  ASSERT_TRUE(client->Get("k").ok());
  current_ = 2;
  EventList<bool> watching;
  EventList<WatchEnd> ends;
  Watch watch(client.get(), ForPrefix<etcdserverpb::WatchCreateRequest>("k"),
              {.on_events = [](const auto&) {},
               .on_watching = [&] { watching.Add(true); },
               .on_end = [&](const WatchEnd& end) { ends.Add(end); }});
  EXPECT_EQ(watching.Await(1).size(), 1u);
  EXPECT_THAT(a_.tokens("Watch"), ElementsAre("token 1", "token 2"));
  EXPECT_TRUE(ends.Get().empty());
}

}  // namespace
}  // namespace pontoon
