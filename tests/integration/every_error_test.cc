// Every error of the API comes to those who cause it with the code and the text that etcd's clients
// know; and of those that nobody can cause it is said why. Each cause is also tried on a real etcd:
// what is expected here is what etcd says.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/service/testing/call_by_name.h"
#include "tests/integration/api_errors.h"
#include "tests/integration/calls.h"
#include "tests/integration/error_causes.h"
#include "tests/integration/settings.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::Watch;
using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;
using ::testing::HasSubstr;

template <typename Entry>
bool Has(const std::vector<Entry>& entries, const kv::ApiError& error) {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
    return CodeAndText(entry.error) == CodeAndText(error);
  });
}

TEST(EveryErrorTest, IsEitherCausedOrOutOfReach) {
  for (const kv::ApiError& error : kv::AllApiErrors()) {
    EXPECT_NE(Has(ErrorCauses(), error), Has(UnreachableErrors(), error)) << CodeAndText(error);
  }
}

struct Trial {
  const Cause* cause;
  Program program;
};

std::vector<Trial> Trials() {
  std::vector<Trial> trials;
  for (const Cause& cause : ErrorCauses()) {
    trials.push_back({&cause, Program::kPontoon});
    if (cause.in_etcd.kind != InEtcd::Kind::kNotAsked) trials.push_back({&cause, Program::kEtcd});
  }
  return trials;
}

class CauseTest : public ::testing::TestWithParam<Trial> {
 protected:
  static void TearDownTestSuite() { clusters_.Clear(); }

  static SharedClusters clusters_;
};

SharedClusters CauseTest::clusters_;

TEST_P(CauseTest, GivesTheError) {
  const auto& [cause, program] = GetParam();
  const bool differs = program == Program::kEtcd && cause->in_etcd.kind == InEtcd::Kind::kOther;
  const kv::ApiError& expected = differs ? cause->in_etcd.other : cause->error;
  ASSERT_OK_AND_ASSIGN(Cluster* const cluster, clusters_.Get(cause->setting, program));
  EXPECT_EQ(CodeAndText(cause->provoke(*cluster)), CodeAndText(expected));
  if (cause->setting == Setting::kHealthy) ExpectUnharmed(*cluster);
}

INSTANTIATE_TEST_SUITE_P(Programs, CauseTest, ::testing::ValuesIn(Trials()), [](const auto& info) {
  return absl::StrCat(info.param.cause->name, "_", NameOf(info.param.program));
});

// ---- watches, which end with a reason in a message

// The last message to a stream that has asked this; it is the first that cancels a watcher.
WatchResponse CancellationOf(const Client& client, const std::vector<std::string>& requests) {
  CallContext context;
  const auto stub = Watch::NewStub(client.channel());
  const auto stream = stub->Watch(context.get());
  for (const std::string& request : requests) {
    EXPECT_TRUE(stream->Write(Parse<WatchRequest>(request)));
  }
  WatchResponse response;
  while (stream->Read(&response) && !response.canceled()) continue;
  context.get()->TryCancel();
  stream->Finish();
  return response;
}

// Of a watcher that never came to be.
void ExpectRefusal(const Client& client, const std::vector<std::string>& requests,
                   const std::string& reason) {
  const WatchResponse response = CancellationOf(client, requests);
  EXPECT_TRUE(response.created());
  EXPECT_TRUE(response.canceled());
  EXPECT_EQ(response.watch_id(), -1);
  EXPECT_EQ(response.cancel_reason(), reason);
}

class CancelReasonTest : public ::testing::TestWithParam<Program> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, clusters_.Get(Setting::kHealthy, GetParam()));
  }
  static void TearDownTestSuite() { clusters_.Clear(); }

  static SharedClusters clusters_;
  Cluster* cluster_ = nullptr;
};

SharedClusters CancelReasonTest::clusters_;

TEST_P(CancelReasonTest, EmptyRange) {
  ExpectRefusal(cluster_->client(0), {"create_request { key: 'b' range_end: 'a' }"},
                "mvcc: watcher range is empty");
}

TEST_P(CancelReasonTest, IdThatThereIs) {
  ExpectRefusal(cluster_->client(0),
                {"create_request { key: 'a' watch_id: 7 }", "create_request { watch_id: 7 }"},
                "mvcc: duplicate watch ID provided on the WatchStream");
}

// The one that is told by a number.
TEST_P(CancelReasonTest, CompactedRevision) {
  Client& client = cluster_->client(0);
  ASSERT_OK(client.Put("a", "1"));
  const int64_t revision = client.Put("a", "2").response.header().revision();
  ASSERT_OK(client.Compact(revision));
  const WatchResponse response =
      CancellationOf(client, {"create_request { key: 'a' start_revision: 1 }"});
  EXPECT_TRUE(response.canceled());
  EXPECT_FALSE(response.created());
  EXPECT_EQ(response.cancel_reason(), "");
  EXPECT_EQ(response.compact_revision(), revision);
}

INSTANTIATE_TEST_SUITE_P(Programs, CancelReasonTest,
                         ::testing::Values(Program::kPontoon, Program::kEtcd),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

// As from 3.7 on; 3.4 creates such a watcher.
TEST(OwnCancelReasonTest, NegativeRevision) {
  Cluster cluster({.node_count = 1});
  ASSERT_OK(cluster.StartAll());
  ExpectRefusal(cluster.client(0), {"create_request { key: 'a' start_revision: -1 }"},
                std::string(kv::kErrCompacted.text));
}

// ---- what there is not

// What Pontoon does not offer says so, and what it is, instead of anything that a client could
// misread. etcd has the same code for methods that it does not know.
TEST(NotOfferedTest, SaysUnimplemented) {
  Cluster cluster({.node_count = 1});
  ASSERT_OK(cluster.StartAll());
  const Client& client = cluster.client(0);
  const auto expect_not_offered = [](const grpc::Status& status, const char* name) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat(name, " is not offered by")));
  };
  using etcdserverpb::Auth;
  expect_not_offered(
      Call<Auth>(client, &Auth::Stub::AuthEnable, etcdserverpb::AuthEnableRequest()).status,
      "Auth.AuthEnable");
  expect_not_offered(kv::CallByName(client.channel(), "/etcdserverpb.KV/Increment"),
                     "KV.Increment");
  expect_not_offered(kv::CallByName(client.channel(), "/nobody.Knows/This"), "Knows.This");
}

}  // namespace
}  // namespace pontoon::testing
