// Transactions. Names follow the rules of the API.

#include "kv/store/txn.h"

#include <string>

#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::Compare;
using ::etcdserverpb::RangeRequest;
using ::etcdserverpb::TxnRequest;
using ::etcdserverpb::TxnResponse;
using storage::v1::Command;

Compare If(const std::string& key, Compare::CompareTarget target, Compare::CompareResult result) {
  Compare compare;
  compare.set_key(key);
  compare.set_target(target);
  compare.set_result(result);
  return compare;
}

Compare IfVersion(const std::string& key, Compare::CompareResult result, int64_t version) {
  Compare compare = If(key, Compare::VERSION, result);
  compare.set_version(version);
  return compare;
}

Compare IfValue(const std::string& key, Compare::CompareResult result, const std::string& value) {
  Compare compare = If(key, Compare::VALUE, result);
  compare.set_value(value);
  return compare;
}

RangeRequest RangeAt(const std::string& key, int64_t revision) {
  RangeRequest request = RangeOf(key);
  request.set_revision(revision);
  return request;
}

class TxnTest : public testing::Test {
 protected:
  // Whether a compare holds now; asked in the log and by a read, which must agree.
  bool Holds(const Compare& compare) {
    TxnRequest request;
    *request.add_compare() = compare;
    bool read = ReadTxn(request).succeeded();
    EXPECT_EQ(h_.Txn(request).succeeded(), read);
    return read;
  }

  TxnResponse ReadTxn(const TxnRequest& request) {
    TxnResponse response;
    EXPECT_TRUE(h_.store().View()->Txn(request, &response).ok());
    return response;
  }

  // The error of a refused transaction, which must not have changed anything.
  absl::Status Refused(const TxnRequest& request) {
    std::string before = h_.All();
    int64_t revision = h_.revision();
    KvResult result = h_.Apply(request);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(result.response));
    EXPECT_EQ(h_.All(), before);
    EXPECT_EQ(h_.revision(), revision);
    return result.status;
  }

  StoreHarness h_;
};

TEST_F(TxnTest, TakesOneOfTwoBranches) {
  h_.Put("a", "1");
  TxnRequest request;
  *request.add_compare() = IfValue("a", Compare::EQUAL, "1");
  *request.add_success() = Op(PutOf("a", "yes"));
  *request.add_failure() = Op(PutOf("b", "no"));
  TxnResponse response = h_.Txn(request);
  EXPECT_TRUE(response.succeeded());
  EXPECT_EQ(response.header().revision(), 3);
  ASSERT_EQ(response.responses_size(), 1);
  EXPECT_EQ(response.responses(0).response_put().header().revision(), 3);
  EXPECT_EQ(h_.All(), "a=yes");
  EXPECT_FALSE(h_.Txn(request).succeeded());
  EXPECT_EQ(h_.All(), "a=yes b=no");
}

TEST_F(TxnTest, AllComparesMustHold) {
  h_.Put("a", "1");
  TxnRequest request;
  *request.add_compare() = IfValue("a", Compare::EQUAL, "1");
  *request.add_compare() = IfVersion("b", Compare::EQUAL, 0);
  EXPECT_TRUE(h_.Txn(request).succeeded());
  *request.add_compare() = IfVersion("b", Compare::EQUAL, 1);
  EXPECT_FALSE(h_.Txn(request).succeeded());
  EXPECT_TRUE(h_.Txn(TxnRequest()).succeeded()) << "no compare is no condition";
}

TEST_F(TxnTest, ComparesNumbersInFourWays) {
  h_.Put("a", "1");
  h_.Put("a", "2");  // version 2
  struct Row {
    Compare::CompareResult result;
    bool with_1, with_2, with_3;
  };
  for (const Row& row :
       {Row{Compare::EQUAL, false, true, false}, Row{Compare::NOT_EQUAL, true, false, true},
        Row{Compare::GREATER, true, false, false}, Row{Compare::LESS, false, false, true}}) {
    EXPECT_EQ(Holds(IfVersion("a", row.result, 1)), row.with_1) << row.result;
    EXPECT_EQ(Holds(IfVersion("a", row.result, 2)), row.with_2) << row.result;
    EXPECT_EQ(Holds(IfVersion("a", row.result, 3)), row.with_3) << row.result;
  }
}

TEST_F(TxnTest, ComparesEachTarget) {
  h_.Put("x", "");
  h_.Put("a", "b");  // created 3
  h_.Put("a", "b");  // mod 4
  Compare compare = If("a", Compare::CREATE, Compare::EQUAL);
  compare.set_create_revision(3);
  EXPECT_TRUE(Holds(compare));
  compare = If("a", Compare::MOD, Compare::EQUAL);
  compare.set_mod_revision(4);
  EXPECT_TRUE(Holds(compare));
  compare = If("a", Compare::LEASE, Compare::EQUAL);
  compare.set_lease(0);
  EXPECT_TRUE(Holds(compare));
  EXPECT_TRUE(Holds(IfValue("a", Compare::GREATER, "a")));
  EXPECT_TRUE(Holds(IfValue("a", Compare::LESS, "ba")));
  EXPECT_TRUE(Holds(IfValue("a", Compare::NOT_EQUAL, "")));
}

TEST_F(TxnTest, AMissingKeyIsZeroButHasNoValue) {
  for (auto target : {Compare::VERSION, Compare::CREATE, Compare::MOD, Compare::LEASE}) {
    EXPECT_TRUE(Holds(If("missing", target, Compare::EQUAL)));
    EXPECT_FALSE(Holds(If("missing", target, Compare::GREATER)));
  }
  for (auto result : {Compare::EQUAL, Compare::NOT_EQUAL, Compare::LESS, Compare::GREATER}) {
    EXPECT_FALSE(Holds(IfValue("missing", result, ""))) << result;
    EXPECT_FALSE(Holds(IfValue("missing", result, "a"))) << result;
  }
}

TEST_F(TxnTest, AMissingTargetIsZeroOrEmpty) {
  h_.Put("a", "");
  EXPECT_TRUE(Holds(If("a", Compare::VALUE, Compare::EQUAL)));
  EXPECT_TRUE(Holds(If("a", Compare::VERSION, Compare::GREATER)));
  Compare other = If("a", Compare::VERSION, Compare::EQUAL);
  other.set_create_revision(1);  // another target's field
  EXPECT_FALSE(Holds(other));
  other.set_result(Compare::GREATER);
  EXPECT_TRUE(Holds(other));
}

TEST_F(TxnTest, UnknownEnumValuesOfComparesAreAsInEtcd) {
  h_.Put("a", "1");
  EXPECT_TRUE(Holds(If("a", Compare::VERSION, static_cast<Compare::CompareResult>(9))));
  EXPECT_TRUE(Holds(If("a", static_cast<Compare::CompareTarget>(9), Compare::EQUAL)));
  EXPECT_FALSE(Holds(If("a", static_cast<Compare::CompareTarget>(9), Compare::LESS)));
}

TEST_F(TxnTest, ACompareOfARangeMustHoldForEveryKey) {
  h_.Put("a1", "x");
  h_.Put("a2", "x");
  h_.Put("b", "y");
  Compare compare = IfValue("a", Compare::EQUAL, "x");
  compare.set_range_end("b");
  EXPECT_TRUE(Holds(compare));
  compare.set_range_end(Zero());
  EXPECT_FALSE(Holds(compare));
  compare.set_key("c");
  EXPECT_FALSE(Holds(compare)) << "an empty range has no value";
  Compare created = If("c", Compare::CREATE, Compare::EQUAL);
  created.set_range_end("d");
  EXPECT_TRUE(Holds(created)) << "an empty range is as a missing key";
}

TEST_F(TxnTest, OperationsSeeEarlierOnes) {
  h_.Put("a", "old");
  TxnRequest request;
  *request.add_success() = Op(RangeOf("a"));
  *request.add_success() = Op(PutOf("a", "new"));
  *request.add_success() = Op(RangeOf("a"));
  *request.add_success() = Op(RangeAt("a", 2));
  *request.add_success() = Op(DeleteOf("a"));
  *request.add_success() = Op(RangeOf("a"));
  TxnResponse response = h_.Txn(request);
  ASSERT_EQ(response.responses_size(), 6);
  EXPECT_EQ(Contents(response.responses(0).response_range()), "a=old");
  EXPECT_EQ(response.responses(0).response_range().header().revision(), 2);
  EXPECT_EQ(Contents(response.responses(2).response_range()), "a=new");
  EXPECT_EQ(response.responses(2).response_range().header().revision(), 3);
  EXPECT_EQ(response.responses(2).response_range().kvs(0).mod_revision(), 3);
  EXPECT_EQ(Contents(response.responses(3).response_range()), "a=old");
  EXPECT_EQ(response.responses(4).response_delete_range().deleted(), 1);
  EXPECT_EQ(Contents(response.responses(5).response_range()), "");
}

TEST_F(TxnTest, RangesMergeWhatIsWrittenAndWhatIsNot) {
  for (const char* key : {"a", "b", "d"}) h_.Put(key, "old");
  TxnRequest request;
  *request.add_success() = Op(PutOf("c", "new"));
  *request.add_success() = Op(DeleteOf("b"));
  *request.add_success() = Op(PutOf("e", "new"));
  *request.add_success() = Op(RangeOf("a", Zero()));
  *request.add_success() = Op(PutOf("a", "new"));
  *request.add_success() = Op(RangeOf("a", "c"));
  RangeRequest before = RangeOf("a", Zero());
  before.set_revision(4);
  *request.add_success() = Op(before);
  TxnResponse response = h_.Txn(request);
  EXPECT_EQ(Contents(response.responses(3).response_range()), "a=old c=new d=old e=new");
  EXPECT_EQ(Contents(response.responses(5).response_range()), "a=new");
  EXPECT_EQ(Contents(response.responses(6).response_range()), "a=old b=old d=old");
}

TEST_F(TxnTest, OldRevisionsOfTheSameApplyCanBeRead) {
  std::vector<Command> commands(3);
  *commands[0].mutable_put() = PutOf("a", "1");
  *commands[1].mutable_put() = PutOf("a", "2");
  TxnRequest* txn = commands[2].mutable_txn();
  *txn->add_success() = Op(PutOf("b", "1"));
  *txn->add_success() = Op(RangeAt("a", 2));
  *txn->add_success() = Op(RangeAt("a", 3));
  std::vector<KvResult> results = h_.ApplyAll(commands);
  const auto& response = std::get<TxnResponse>(results[2].response);
  EXPECT_EQ(Contents(response.responses(1).response_range()), "a=1");
  EXPECT_EQ(Contents(response.responses(2).response_range()), "a=2");
}

TEST_F(TxnTest, AllWritesShareOneRevision) {
  h_.Put("x", "1");
  TxnRequest request;
  *request.add_success() = Op(PutOf("a", "1"));
  *request.add_success() = Op(DeleteOf("x"));
  *request.add_success() = Op(DeleteOf("missing"));
  *request.add_success() = Op(PutOf("b", "1"));
  TxnResponse response = h_.Txn(request);
  EXPECT_EQ(response.header().revision(), 3);
  EXPECT_EQ(response.responses(1).response_delete_range().header().revision(), 3);
  EXPECT_EQ(response.responses(2).response_delete_range().header().revision(), 3)
      << "the transaction has changed something before";
  EXPECT_EQ(h_.Describe("a"), "3/3/1/0 1");
  EXPECT_EQ(h_.Describe("b"), "3/3/1/0 1");
}

TEST_F(TxnTest, ATransactionWithoutChangesMakesNoRevision) {
  h_.Put("a", "1");
  TxnRequest request;
  *request.add_success() = Op(DeleteOf("missing"));
  *request.add_success() = Op(RangeOf("a"));
  TxnResponse response = h_.Txn(request);
  EXPECT_EQ(response.header().revision(), 2);
  EXPECT_EQ(response.responses(0).response_delete_range().header().revision(), 2);
  EXPECT_EQ(h_.revision(), 2);
}

TEST_F(TxnTest, NestedComparesSeeTheStateBefore) {
  TxnRequest inner;
  *inner.add_compare() = IfVersion("a", Compare::EQUAL, 0);
  *inner.add_success() = Op(PutOf("saw", "nothing"));
  *inner.add_failure() = Op(PutOf("saw", "the put"));
  TxnRequest request;
  *request.add_success() = Op(PutOf("a", "1"));
  *request.add_success() = Op(inner);
  *request.add_success() = Op(RangeOf("saw"));
  TxnResponse response = h_.Txn(request);
  EXPECT_EQ(h_.Get("saw"), "nothing");
  EXPECT_TRUE(response.responses(1).response_txn().succeeded());
  EXPECT_EQ(Contents(response.responses(2).response_range()), "saw=nothing");
}

TEST_F(TxnTest, ANestedResponseHasAnEmptyHeader) {
  TxnRequest inner;
  *inner.add_success() = Op(PutOf("a", "1"));
  TxnRequest request;
  *request.add_success() = Op(inner);
  TxnResponse response = h_.Txn(request);
  const TxnResponse& nested = response.responses(0).response_txn();
  EXPECT_TRUE(nested.has_header());
  EXPECT_EQ(nested.header().revision(), 0);
  EXPECT_EQ(nested.responses(0).response_put().header().revision(), 2);
}

TEST_F(TxnTest, NestedTransactionsTakeTheirOwnBranches) {
  h_.Put("a", "1");
  TxnRequest leaf;
  *leaf.add_compare() = IfValue("a", Compare::EQUAL, "2");
  *leaf.add_success() = Op(PutOf("leaf", "yes"));
  *leaf.add_failure() = Op(PutOf("leaf", "no"));
  TxnRequest first;
  *first.add_compare() = IfValue("a", Compare::EQUAL, "2");
  *first.add_success() = Op(PutOf("first", "yes"));
  *first.add_failure() = Op(leaf);
  TxnRequest second;
  *second.add_compare() = IfValue("a", Compare::EQUAL, "1");
  *second.add_success() = Op(PutOf("second", "yes"));
  TxnRequest request;
  *request.add_success() = Op(first);
  *request.add_success() = Op(second);
  TxnResponse response = h_.Txn(request);
  EXPECT_EQ(h_.All(), "a=1 leaf=no second=yes");
  EXPECT_FALSE(response.responses(0).response_txn().succeeded());
  EXPECT_FALSE(response.responses(0).response_txn().responses(0).response_txn().succeeded());
  EXPECT_TRUE(response.responses(1).response_txn().succeeded());
}

TEST_F(TxnTest, AnEmptyOperationIsRefused) {
  TxnRequest request;
  *request.add_success() = Op(PutOf("a", "1"));
  request.add_success();
  EXPECT_TRUE(Is(Refused(request), kErrKeyNotFound));
  TxnRequest outer;
  *outer.add_success() = Op(request);
  EXPECT_TRUE(Is(Refused(outer), kErrKeyNotFound));
}

TEST_F(TxnTest, RangesAreCheckedBeforeAnyWrite) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  ASSERT_TRUE(h_.Compact(3).ok());
  for (const auto& [revision, error] : std::vector<std::pair<int64_t, ApiError>>{
           {2, kErrCompacted}, {4, kErrFutureRev}, {-1, kErrCompacted}}) {
    TxnRequest request;
    *request.add_success() = Op(PutOf("b", "1"));
    *request.add_success() = Op(RangeAt("a", revision));
    EXPECT_TRUE(Is(Refused(request), error)) << revision;
    TxnRequest outer;
    *outer.add_success() = Op(PutOf("c", "1"));
    *outer.add_success() = Op(request);
    EXPECT_TRUE(Is(Refused(outer), error)) << revision;
    TxnRequest other_branch;
    *other_branch.add_failure() = request.success(1);
    EXPECT_TRUE(h_.Apply(other_branch).status.ok()) << "only what is taken is checked";
  }
}

TEST_F(TxnTest, ErrorsDoNotDependOnWhoWantsTheResult) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  ASSERT_TRUE(h_.Compact(3).ok());
  Command command;
  *command.mutable_txn()->add_success() = Op(PutOf("b", "1"));
  *command.mutable_txn()->add_success() = Op(RangeAt("a", 2));
  h_.ApplyUnwanted(command);
  EXPECT_EQ(h_.Get("b"), "(none)");
  *command.mutable_txn()->mutable_success(1) = Op(RangeAt("a", 3));
  h_.ApplyUnwanted(command);
  EXPECT_EQ(h_.Get("b"), "1");
}

TEST_F(TxnTest, PutsAreCheckedBeforeAnyWrite) {
  etcdserverpb::PutRequest ignoring = PutOf("new", "");
  ignoring.set_ignore_value(true);
  TxnRequest request;
  *request.add_success() = Op(PutOf("a", "1"));
  *request.add_success() = Op(ignoring);
  EXPECT_TRUE(Is(Refused(request), kErrKeyNotFound));
  etcdserverpb::PutRequest leased = PutOf("b", "1");
  leased.set_lease(9);
  *request.mutable_success(1) = Op(leased);
  EXPECT_TRUE(Is(Refused(request), kErrLeaseNotFound));
  *request.mutable_success(1) = Op(PutOf("", ""));
  EXPECT_TRUE(Is(Refused(request), kErrEmptyKey));
  *request.mutable_success(1) = Op(RangeOf(""));
  EXPECT_TRUE(Is(Refused(request), kErrEmptyKey));
  *request.mutable_success(1) = Op(DeleteOf(""));
  EXPECT_TRUE(Is(Refused(request), kErrEmptyKey));
}

// The service refuses such transactions as duplicate keys; should one come through, it must do the
// same on every node, and no harm.
TEST_F(TxnTest, OneKeyManyTimesIsHarmless) {
  h_.Put("a", "0");
  etcdserverpb::PutRequest ignoring = PutOf("a", "");
  ignoring.set_ignore_value(true);
  ignoring.set_ignore_lease(true);
  TxnRequest request;
  *request.add_success() = Op(PutOf("a", "1"));
  *request.add_success() = Op(PutOf("a", "2"));
  *request.add_success() = Op(DeleteOf("a"));
  *request.add_success() = Op(ignoring);
  h_.Txn(request);
  EXPECT_EQ(h_.Describe("a"), "3/3/1/0 ");
  h_.Put("a", "3");
  EXPECT_EQ(h_.All(3), "a=");
  EXPECT_EQ(h_.All(2), "a=0");
}

TEST_F(TxnTest, ReadOnlyMeansRangesAndNothingElse) {
  TxnRequest request;
  EXPECT_TRUE(IsReadOnly(request));
  *request.add_success() = Op(RangeOf("a"));
  *request.add_failure() = Op(RangeOf("b"));
  EXPECT_TRUE(IsReadOnly(request));
  for (const etcdserverpb::RequestOp& op :
       {Op(PutOf("a", "1")), Op(DeleteOf("a")), Op(TxnRequest()), etcdserverpb::RequestOp()}) {
    TxnRequest then = request;
    *then.add_success() = op;
    EXPECT_FALSE(IsReadOnly(then));
    TxnRequest otherwise = request;
    *otherwise.add_failure() = op;
    EXPECT_FALSE(IsReadOnly(otherwise));
  }
}

TEST_F(TxnTest, AReadOnlyTransactionNeedsNoLog) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  TxnRequest request;
  *request.add_compare() = IfVersion("a", Compare::EQUAL, 2);
  *request.add_success() = Op(RangeOf("a"));
  *request.add_success() = Op(RangeAt("a", 2));
  TxnResponse response = ReadTxn(request);
  EXPECT_TRUE(response.succeeded());
  EXPECT_EQ(response.header().revision(), 3);
  EXPECT_EQ(Contents(response.responses(0).response_range()), "a=2");
  EXPECT_EQ(Contents(response.responses(1).response_range()), "a=1");
  EXPECT_EQ(h_.Txn(request).SerializeAsString(), response.SerializeAsString())
      << "in the log it gives the same";
}

TEST_F(TxnTest, AReadOnlyTransactionFailsAsOneInTheLogDoes) {
  h_.Put("a", "1");
  TxnRequest request;
  *request.add_success() = Op(RangeAt("a", 9));
  TxnResponse response;
  EXPECT_TRUE(Is(h_.store().View()->Txn(request, &response), kErrFutureRev));
  EXPECT_TRUE(Is(Refused(request), kErrFutureRev));
}

using TxnDeathTest = TxnTest;

TEST_F(TxnDeathTest, AWriteIsNoRead) {
  TxnRequest request;
  *request.add_success() = Op(PutOf("a", "1"));
  TxnResponse response;
  EXPECT_DEATH((void)h_.store().View()->Txn(request, &response), "IsReadOnly");
}

}  // namespace
}  // namespace pontoon::kv
