// Where exactly requests become bad: the bounds of sizes and numbers, and what holds inside of
// transactions. (every_error_test has all errors, each with its simplest causes.) Each case runs
// against Pontoon and against a real etcd, so that what is expected here is what etcd's clients
// expect.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/api_errors.h"
#include "tests/integration/cluster.h"
#include "tests/integration/settings.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::TxnRequest;
using grpc::StatusCode;
using kv::kErrCompacted;
using kv::kErrDuplicateKey;
using kv::kErrEmptyKey;
using kv::kErrFutureRev;
using kv::kErrRequestTooLarge;
using kv::kErrTooManyOps;
using ::testing::HasSubstr;

constexpr size_t kRequestBytesMax = 3 << 19;  // 1.5 MiB
constexpr int kTxnOpsMax = 128;

PutRequest PutOf(const std::string& key, const std::string& value) {
  PutRequest put;
  put.set_key(key);
  put.set_value(value);
  return put;
}

// A transaction that puts `count` different keys.
TxnRequest PutMany(int count) {
  TxnRequest txn;
  for (int i = 0; i < count; ++i) {
    *txn.add_success()->mutable_request_put() = PutOf(absl::StrCat("many/", i), "x");
  }
  return txn;
}

TxnRequest WithSuccess(const TxnRequest& inner) {
  TxnRequest outer;
  *outer.add_success()->mutable_request_txn() = inner;
  return outer;
}

class BadRequestsTest : public ::testing::TestWithParam<Program> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, clusters_.Get(Setting::kHealthy, GetParam()));
  }
  void TearDown() override {
    if (cluster_ != nullptr) ExpectUnharmed(*cluster_);
  }
  static void TearDownTestSuite() { clusters_.Clear(); }

  // A follower or the leader, as it happens: any node takes any request.
  Client& client() { return cluster_->client(0); }

  template <typename Response>
  static void ExpectError(const Answer<Response>& answer, const kv::ApiError& error) {
    EXPECT_EQ(CodeAndText(answer.status), CodeAndText(error));
  }

  static SharedClusters clusters_;
  Cluster* cluster_ = nullptr;
};

SharedClusters BadRequestsTest::clusters_;

TEST_P(BadRequestsTest, EmptyKeyInATransaction) {
  TxnRequest compare;
  compare.add_compare();
  ExpectError(client().Txn(compare), kErrEmptyKey);
  TxnRequest success;
  success.add_success()->mutable_request_put();
  ExpectError(client().Txn(success), kErrEmptyKey);
  TxnRequest failure;
  failure.add_failure()->mutable_request_delete_range();
  ExpectError(client().Txn(failure), kErrEmptyKey);
  ExpectError(client().Txn(WithSuccess(success)), kErrEmptyKey);
}

TEST_P(BadRequestsTest, RequestTooLarge) {
  const std::string fits(kRequestBytesMax - 1024, 'x');
  EXPECT_OK(client().Put("large", fits));
  const std::string too_large(kRequestBytesMax, 'x');
  ExpectError(client().Put("large", too_large), kErrRequestTooLarge);
  TxnRequest txn;
  const std::string half(kRequestBytesMax / 2, 'x');
  *txn.add_success()->mutable_request_put() = PutOf("large/a", half);
  *txn.add_success()->mutable_request_put() = PutOf("large/b", half);
  ExpectError(client().Txn(txn), kErrRequestTooLarge);
  const auto kept = client().Get("large");
  ASSERT_OK(kept);
  EXPECT_EQ(kept.response.kvs(0).value(), fits);
}

TEST_P(BadRequestsTest, MessageLargerThanAnyRequestMayBe) {
  const std::string huge(kRequestBytesMax + (512 << 10) + 1, 'x');
  const auto answer = client().Put("huge", huge);
  EXPECT_EQ(answer.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("eceived message larger than max"));
}

TEST_P(BadRequestsTest, TooManyOperations) {
  EXPECT_OK(client().Txn(PutMany(kTxnOpsMax)));
  ExpectError(client().Txn(PutMany(kTxnOpsMax + 1)), kErrTooManyOps);

  TxnRequest failure;
  *failure.mutable_failure() = PutMany(kTxnOpsMax + 1).success();
  ExpectError(client().Txn(failure), kErrTooManyOps);

  TxnRequest compares;
  for (int i = 0; i <= kTxnOpsMax; ++i) compares.add_compare()->set_key("a");
  ExpectError(client().Txn(compares), kErrTooManyOps);

  // What the outer transaction uses is missing to the inner one.
  EXPECT_OK(client().Txn(WithSuccess(PutMany(kTxnOpsMax - 1))));
  ExpectError(client().Txn(WithSuccess(PutMany(kTxnOpsMax))), kErrTooManyOps);
}

TEST_P(BadRequestsTest, SameKeyTwice) {
  TxnRequest puts;
  *puts.add_success()->mutable_request_put() = PutOf("twice", "1");
  *puts.add_success()->mutable_request_put() = PutOf("twice", "2");
  ExpectError(client().Txn(puts), kErrDuplicateKey);

  TxnRequest put_and_delete;
  *put_and_delete.add_failure()->mutable_request_put() = PutOf("twice/a", "1");
  auto& all = *put_and_delete.add_failure()->mutable_request_delete_range();
  all.set_key("twice/");
  all.set_range_end("twice0");
  ExpectError(client().Txn(put_and_delete), kErrDuplicateKey);

  TxnRequest nested = WithSuccess(PutMany(1));
  *nested.add_success()->mutable_request_put() = PutOf("many/0", "2");
  ExpectError(client().Txn(nested), kErrDuplicateKey);

  TxnRequest either_branch;
  *either_branch.add_success()->mutable_request_put() = PutOf("twice", "1");
  *either_branch.add_failure()->mutable_request_put() = PutOf("twice", "2");
  EXPECT_OK(client().Txn(either_branch));
}

TEST_P(BadRequestsTest, TheCompactedRevisionItselfIsKept) {
  ASSERT_OK(client().Put("kept", "1"));
  const int64_t revision = client().Put("kept", "2").response.header().revision();
  ASSERT_OK(client().Compact(revision));
  RangeRequest request = PrefixRange("kept");
  request.set_revision(revision);
  EXPECT_OK(client().Range(request));
  request.set_revision(revision - 1);
  ExpectError(client().Range(request), kErrCompacted);
}

INSTANTIATE_TEST_SUITE_P(Programs, BadRequestsTest,
                         ::testing::Values(Program::kPontoon, Program::kEtcd),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

// Of a transaction that is refused while it is applied nothing may be left, on any member. (The
// other members of an etcd 3.4 apply such a transaction: etcd issue 18667. So this is of Pontoon
// alone.)
TEST(RefusedTransactionTest, LeavesNothingOnAnyMember) {
  Cluster cluster;
  ASSERT_OK(cluster.StartAll());
  const auto put = cluster.client(0).Put("a", "1");
  ASSERT_OK(put);
  const int64_t revision = put.response.header().revision();
  TxnRequest txn;
  *txn.add_success()->mutable_request_put() = PutOf("not written", "x");
  RangeRequest& future = *txn.add_success()->mutable_request_range();
  future.set_key("a");
  future.set_revision(revision + 1000);
  for (int asked : cluster.AllNodes()) {
    EXPECT_EQ(CodeAndText(cluster.client(asked).Txn(txn).status), CodeAndText(kErrFutureRev));
    for (int node : cluster.AllNodes()) {
      const auto answer = cluster.client(node).Get("not written");
      ASSERT_OK(answer);
      EXPECT_EQ(answer.response.count(), 0) << "asked " << asked << ", on node " << node;
      EXPECT_EQ(answer.response.header().revision(), revision);
    }
  }
}

}  // namespace
}  // namespace pontoon::testing
