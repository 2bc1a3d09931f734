// Any node takes any request: what a client asks of a follower has the same effect, and the same
// answer, as if it had asked the leader.

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"

namespace pontoon::testing {
namespace {

// The cluster is started once. Each test is run for the leader and for both followers: the
// parameter counts from the leader on.
class FollowerRequestsTest : public ::testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new Cluster();
    ASSERT_OK(cluster_->StartAll());
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const int leader, cluster_->WaitForLeader());
    asked_ = (leader + GetParam()) % cluster_->size();
    other_ = (asked_ + 1) % cluster_->size();
    prefix_ = absl::StrCat(::testing::UnitTest::GetInstance()->current_test_info()->name(), "/");
  }

  Client& asked() { return cluster_->client(asked_); }
  Client& other() { return cluster_->client(other_); }
  std::string Key(const std::string& name) const { return prefix_ + name; }

  static std::string OnlyValue(const Answer<etcdserverpb::RangeResponse>& answer) {
    if (!answer.ok()) return WhyNotOk(answer);
    if (answer.response.kvs_size() != 1) return absl::StrCat(answer.response.kvs_size(), " keys");
    return answer.response.kvs(0).value();
  }

  static Cluster* cluster_;
  int asked_ = 0;
  int other_ = 0;
  std::string prefix_;
};

Cluster* FollowerRequestsTest::cluster_ = nullptr;

TEST_P(FollowerRequestsTest, TheAskedNodeAnswers) {
  const auto status = asked().Status();
  ASSERT_OK(status);
  const uint64_t self = status.response.header().member_id();
  EXPECT_EQ(self == status.response.leader(), GetParam() == 0);
  EXPECT_NE(self, other().Status().response.header().member_id());

  const auto put = asked().Put(Key("a"), "1");
  ASSERT_OK(put);
  EXPECT_EQ(put.response.header().member_id(), self);
  EXPECT_EQ(put.response.header().cluster_id(), status.response.header().cluster_id());
  EXPECT_EQ(put.response.header().raft_term(), status.response.raftterm());
  EXPECT_EQ(asked().Get(Key("a")).response.header().member_id(), self);
}

TEST_P(FollowerRequestsTest, WritesAreReadOnEveryNodeAtOnce) {
  for (int i = 0; i < 100; ++i) {
    const std::string value = absl::StrCat(i);
    ASSERT_OK(asked().Put(Key("a"), value));
    ASSERT_EQ(OnlyValue(other().Get(Key("a"))), value);
    ASSERT_OK(other().Put(Key("b"), value));
    ASSERT_EQ(OnlyValue(asked().Get(Key("b"))), value);
  }
}

TEST_P(FollowerRequestsTest, OwnWritesAreReadWithoutAskingTheLeader) {
  for (int i = 0; i < 100; ++i) {
    const std::string value = absl::StrCat(i);
    ASSERT_OK(asked().Put(Key("a"), value));
    ASSERT_EQ(OnlyValue(asked().Get(Key("a"), ReadMode::kSerializable)), value);
  }
}

TEST_P(FollowerRequestsTest, PutTellsThePreviousValue) {
  ASSERT_OK(other().Put(Key("a"), "old"));
  etcdserverpb::PutRequest request;
  request.set_key(Key("a"));
  request.set_value("new");
  request.set_prev_kv(true);
  const auto put = asked().Put(request);
  ASSERT_OK(put);
  EXPECT_EQ(put.response.prev_kv().value(), "old");
}

TEST_P(FollowerRequestsTest, Delete) {
  ASSERT_OK(asked().Put(Key("a"), "1"));
  const auto gone = asked().Delete(Key("a"));
  ASSERT_OK(gone);
  EXPECT_EQ(gone.response.deleted(), 1);
  EXPECT_EQ(other().Get(Key("a")).response.count(), 0);
  EXPECT_EQ(asked().Delete(Key("a")).response.deleted(), 0);
}

TEST_P(FollowerRequestsTest, TransactionsTakeOneOfTwoWays) {
  etcdserverpb::TxnRequest create;
  etcdserverpb::Compare& missing = *create.add_compare();
  missing.set_key(Key("a"));
  missing.set_target(etcdserverpb::Compare::CREATE);
  missing.set_result(etcdserverpb::Compare::EQUAL);
  missing.set_create_revision(0);
  create.add_success()->mutable_request_put()->set_key(Key("a"));
  create.add_failure()->mutable_request_range()->set_key(Key("a"));

  const auto first = asked().Txn(create);
  ASSERT_OK(first);
  EXPECT_TRUE(first.response.succeeded());
  const auto second = asked().Txn(create);
  ASSERT_OK(second);
  EXPECT_FALSE(second.response.succeeded());
  ASSERT_EQ(second.response.responses(0).response_range().kvs_size(), 1);
  EXPECT_EQ(second.response.responses(0).response_range().kvs(0).create_revision(),
            first.response.header().revision());
}

TEST_P(FollowerRequestsTest, ReadOnlyTransactionsAreLinearizable) {
  etcdserverpb::TxnRequest read;
  read.add_success()->mutable_request_range()->set_key(Key("a"));
  for (int i = 0; i < 100; ++i) {
    const auto put = other().Put(Key("a"), absl::StrCat(i));
    ASSERT_OK(put);
    const auto answer = asked().Txn(read);
    ASSERT_OK(answer);
    ASSERT_EQ(answer.response.responses(0).response_range().kvs(0).mod_revision(),
              put.response.header().revision());
  }
}

TEST_P(FollowerRequestsTest, CompactionHoldsOnAllNodes) {
  ASSERT_OK(asked().Put(Key("a"), "1"));
  const auto put = asked().Put(Key("a"), "2");
  ASSERT_OK(put);
  const int64_t revision = put.response.header().revision();
  ASSERT_OK(asked().Compact(revision));
  for (int node : cluster_->AllNodes()) {
    ASSERT_OK(cluster_->WaitForCatchUp(node));
    etcdserverpb::RangeRequest request = PrefixRange(Key(""));
    request.set_revision(revision - 1);
    const auto compacted = cluster_->client(node).Range(request);
    EXPECT_EQ(compacted.status.error_code(), grpc::StatusCode::OUT_OF_RANGE) << "node " << node;
    EXPECT_EQ(compacted.status.error_message(),
              "etcdserver: mvcc: required revision has been compacted");
    request.set_revision(revision);
    EXPECT_EQ(OnlyValue(cluster_->client(node).Range(request)), "2");
  }
  EXPECT_EQ(asked().Compact(revision).status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_P(FollowerRequestsTest, MembersAreListed) {
  const auto list = asked().MemberList();
  ASSERT_OK(list);
  ASSERT_EQ(list.response.members_size(), cluster_->size());
  std::set<std::string> urls;
  for (const auto& member : list.response.members()) {
    ASSERT_EQ(member.clienturls_size(), 1) << member.name();
    urls.insert(member.clienturls(0));
  }
  for (int node : cluster_->AllNodes()) {
    EXPECT_TRUE(urls.contains(absl::StrCat("http://", cluster_->address(node))));
  }
}

INSTANTIATE_TEST_SUITE_P(Nodes, FollowerRequestsTest, ::testing::Values(0, 1, 2),
                         [](const auto& info) {
                           return info.param == 0 ? std::string("Leader")
                                                  : absl::StrCat("Follower", info.param);
                         });

}  // namespace
}  // namespace pontoon::testing
