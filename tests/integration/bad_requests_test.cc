// Requests that make no sense, or ask for what is not there: a clear error with the code and the
// text that etcd gives, and a node that stays up. Each case runs against Pontoon and against a real
// etcd, so that what is expected here is what etcd's clients expect.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::TxnRequest;
using grpc::StatusCode;
using ::testing::HasSubstr;

constexpr char kEmptyKey[] = "etcdserver: key is not provided";
constexpr char kKeyNotFound[] = "etcdserver: key not found";
constexpr char kValueProvided[] = "etcdserver: value is provided";
constexpr char kLeaseProvided[] = "etcdserver: lease is provided";
constexpr char kLeaseNotFound[] = "etcdserver: requested lease not found";
constexpr char kTooLarge[] = "etcdserver: request is too large";
constexpr char kTooManyOps[] = "etcdserver: too many operations in txn request";
constexpr char kDuplicateKey[] = "etcdserver: duplicate key given in txn request";
constexpr char kCompacted[] = "etcdserver: mvcc: required revision has been compacted";
constexpr char kFutureRevision[] = "etcdserver: mvcc: required revision is a future revision";

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
  // One cluster of each program for all cases.
  static void SetUpTestSuite() {
    for (Program program : {Program::kPontoon, Program::kEtcd}) {
      auto cluster = std::make_unique<Cluster>(ClusterOptions{.program = program});
      ASSERT_OK(cluster->StartAll());
      clusters_[program] = std::move(cluster);
    }
  }
  static void TearDownTestSuite() { clusters_.clear(); }

  // Whatever was asked, each node still takes writes, and none has started anew.
  void TearDown() override {
    for (int node : cluster().AllNodes()) {
      EXPECT_OK(cluster().client(node).Put("still", "up"));
    }
    EXPECT_OK(cluster().WaitForLeader());
  }

  static Cluster& cluster() { return *clusters_.at(GetParam()); }
  // A follower or the leader, as it happens: any node takes any request.
  static Client& client() { return cluster().client(0); }

  template <typename Response>
  static void ExpectError(const Answer<Response>& answer, StatusCode code,
                          const std::string& text) {
    EXPECT_EQ(answer.status.error_code(), code);
    EXPECT_EQ(answer.status.error_message(), text);
  }

  static int64_t Revision() { return client().Put("now", "x").response.header().revision(); }

  static std::map<Program, std::unique_ptr<Cluster>> clusters_;
};

std::map<Program, std::unique_ptr<Cluster>> BadRequestsTest::clusters_;

TEST_P(BadRequestsTest, EmptyKey) {
  ExpectError(client().Put("", "x"), StatusCode::INVALID_ARGUMENT, kEmptyKey);
  ExpectError(client().Get(""), StatusCode::INVALID_ARGUMENT, kEmptyKey);
  ExpectError(client().Delete(""), StatusCode::INVALID_ARGUMENT, kEmptyKey);
}

TEST_P(BadRequestsTest, EmptyKeyInATransaction) {
  TxnRequest compare;
  compare.add_compare();
  ExpectError(client().Txn(compare), StatusCode::INVALID_ARGUMENT, kEmptyKey);
  TxnRequest success;
  success.add_success()->mutable_request_put();
  ExpectError(client().Txn(success), StatusCode::INVALID_ARGUMENT, kEmptyKey);
  TxnRequest failure;
  failure.add_failure()->mutable_request_delete_range();
  ExpectError(client().Txn(failure), StatusCode::INVALID_ARGUMENT, kEmptyKey);
  ExpectError(client().Txn(WithSuccess(success)), StatusCode::INVALID_ARGUMENT, kEmptyKey);
}

TEST_P(BadRequestsTest, OperationThatSaysNothing) {
  TxnRequest txn;
  txn.add_success();
  ExpectError(client().Txn(txn), StatusCode::INVALID_ARGUMENT, kKeyNotFound);
}

TEST_P(BadRequestsTest, RequestTooLarge) {
  const std::string fits(kRequestBytesMax - 1024, 'x');
  EXPECT_OK(client().Put("large", fits));
  const std::string too_large(kRequestBytesMax, 'x');
  ExpectError(client().Put("large", too_large), StatusCode::INVALID_ARGUMENT, kTooLarge);
  TxnRequest txn;
  const std::string half(kRequestBytesMax / 2, 'x');
  *txn.add_success()->mutable_request_put() = PutOf("large/a", half);
  *txn.add_success()->mutable_request_put() = PutOf("large/b", half);
  ExpectError(client().Txn(txn), StatusCode::INVALID_ARGUMENT, kTooLarge);
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
  ExpectError(client().Txn(PutMany(kTxnOpsMax + 1)), StatusCode::INVALID_ARGUMENT, kTooManyOps);

  TxnRequest failure;
  *failure.mutable_failure() = PutMany(kTxnOpsMax + 1).success();
  ExpectError(client().Txn(failure), StatusCode::INVALID_ARGUMENT, kTooManyOps);

  TxnRequest compares;
  for (int i = 0; i <= kTxnOpsMax; ++i) compares.add_compare()->set_key("a");
  ExpectError(client().Txn(compares), StatusCode::INVALID_ARGUMENT, kTooManyOps);

  // What the outer transaction uses is missing to the inner one.
  EXPECT_OK(client().Txn(WithSuccess(PutMany(kTxnOpsMax - 1))));
  ExpectError(client().Txn(WithSuccess(PutMany(kTxnOpsMax))), StatusCode::INVALID_ARGUMENT,
              kTooManyOps);
}

TEST_P(BadRequestsTest, SameKeyTwice) {
  TxnRequest puts;
  *puts.add_success()->mutable_request_put() = PutOf("twice", "1");
  *puts.add_success()->mutable_request_put() = PutOf("twice", "2");
  ExpectError(client().Txn(puts), StatusCode::INVALID_ARGUMENT, kDuplicateKey);

  TxnRequest put_and_delete;
  *put_and_delete.add_failure()->mutable_request_put() = PutOf("twice/a", "1");
  auto& all = *put_and_delete.add_failure()->mutable_request_delete_range();
  all.set_key("twice/");
  all.set_range_end("twice0");
  ExpectError(client().Txn(put_and_delete), StatusCode::INVALID_ARGUMENT, kDuplicateKey);

  TxnRequest nested = WithSuccess(PutMany(1));
  *nested.add_success()->mutable_request_put() = PutOf("many/0", "2");
  ExpectError(client().Txn(nested), StatusCode::INVALID_ARGUMENT, kDuplicateKey);

  TxnRequest either_branch;
  *either_branch.add_success()->mutable_request_put() = PutOf("twice", "1");
  *either_branch.add_failure()->mutable_request_put() = PutOf("twice", "2");
  EXPECT_OK(client().Txn(either_branch));
}

TEST_P(BadRequestsTest, FutureRevision) {
  RangeRequest request = PrefixRange("");
  request.set_revision(Revision() + 1000);
  ExpectError(client().Range(request), StatusCode::OUT_OF_RANGE, kFutureRevision);
  ExpectError(client().Compact(Revision() + 1000), StatusCode::OUT_OF_RANGE, kFutureRevision);

  TxnRequest txn;
  *txn.add_success()->mutable_request_range() = request;
  ExpectError(client().Txn(txn), StatusCode::OUT_OF_RANGE, kFutureRevision);
}

TEST_P(BadRequestsTest, CompactedRevision) {
  Revision();
  const int64_t revision = Revision();
  ASSERT_OK(client().Compact(revision));
  RangeRequest request = PrefixRange("now");
  request.set_revision(revision - 1);
  ExpectError(client().Range(request), StatusCode::OUT_OF_RANGE, kCompacted);
  ExpectError(client().Compact(revision), StatusCode::OUT_OF_RANGE, kCompacted);

  TxnRequest txn;
  *txn.add_success()->mutable_request_range() = request;
  ExpectError(client().Txn(txn), StatusCode::OUT_OF_RANGE, kCompacted);

  request.set_revision(revision);
  EXPECT_OK(client().Range(request));
}

TEST_P(BadRequestsTest, PutThatContradictsItself) {
  PutRequest value = PutOf("contradiction", "x");
  value.set_ignore_value(true);
  ExpectError(client().Put(value), StatusCode::INVALID_ARGUMENT, kValueProvided);
  PutRequest lease = PutOf("contradiction", "x");
  lease.set_ignore_lease(true);
  lease.set_lease(7);
  ExpectError(client().Put(lease), StatusCode::INVALID_ARGUMENT, kLeaseProvided);
}

TEST_P(BadRequestsTest, PutThatKeepsWhatIsNotThere) {
  PutRequest value = PutOf("missing", "");
  value.set_ignore_value(true);
  ExpectError(client().Put(value), StatusCode::INVALID_ARGUMENT, kKeyNotFound);
  PutRequest lease = PutOf("missing", "x");
  lease.set_ignore_lease(true);
  ExpectError(client().Put(lease), StatusCode::INVALID_ARGUMENT, kKeyNotFound);
  PutRequest unknown_lease = PutOf("missing", "x");
  unknown_lease.set_lease(12345);
  ExpectError(client().Put(unknown_lease), StatusCode::NOT_FOUND, kLeaseNotFound);
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
    EXPECT_EQ(cluster.client(asked).Txn(txn).status.error_message(), kFutureRevision);
    for (int node : cluster.AllNodes()) {
      const auto answer = cluster.client(node).Get("not written");
      ASSERT_OK(answer);
      EXPECT_EQ(answer.response.count(), 0) << "asked " << asked << ", on node " << node;
      EXPECT_EQ(answer.response.header().revision(), revision);
    }
  }
}

// What Pontoon does not offer yet says so, and what it is, instead of anything that a client could
// misread.
TEST(NotBuiltYetTest, SaysUnimplemented) {
  Cluster cluster(ClusterOptions{.node_count = 1});
  ASSERT_OK(cluster.StartAll());
  const auto channel = cluster.client(0).channel();
  const auto call = [&](auto stub, auto method, auto request, auto response) {
    grpc::ClientContext context;
    return ((*stub).*method)(&context, request, &response);
  };
  const auto expect_not_offered = [](const grpc::Status& status, const char* name) {
    EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat(name, " is not offered by")));
  };
  using etcdserverpb::Auth;
  expect_not_offered(call(Auth::NewStub(channel), &Auth::Stub::AuthEnable,
                          etcdserverpb::AuthEnableRequest(), etcdserverpb::AuthEnableResponse()),
                     "Auth.AuthEnable");
}

}  // namespace
}  // namespace pontoon::testing
