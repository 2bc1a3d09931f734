#include "tests/differential/generator.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/soundness.h"
#include "tests/differential/symbols.h"

namespace pontoon::differential {
namespace {

using ::testing::HasSubstr;

std::map<std::string, int> KindsOf(const GeneratorOptions& options, uint64_t seeds) {
  std::map<std::string, int> kinds;
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    for (const Call& call : MakeProgram(seed, options).calls) ++kinds[KindOf(call)];
  }
  return kinds;
}

TEST(GeneratorTest, TheSameSeedMakesTheSameProgram) {
  const GeneratorOptions options;
  EXPECT_EQ(TextOf(MakeProgram(7, options)), TextOf(MakeProgram(7, options)));
  EXPECT_NE(TextOf(MakeProgram(7, options)), TextOf(MakeProgram(8, options)));
}

TEST(GeneratorTest, MakesEveryKindOfCall) { EXPECT_EQ(KindsOf({}, 200).size(), 16u); }

TEST(GeneratorTest, MakesNothingButTheGroupsThatAreAskedFor) {
  const auto kinds = KindsOf({.groups = {CallGroup::kTxn, CallGroup::kCompact}}, 50);
  ASSERT_EQ(kinds.size(), 2u);
  EXPECT_GT(kinds.at("Txn"), kinds.at("Compaction"));
}

TEST(GeneratorTest, MakesAsManyCallsAsAskedFor) {
  EXPECT_EQ(MakeProgram(1, {.calls = 33}).calls.size(), 33u);
}

TEST(GeneratorTest, AllCallsAreSound) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    for (const Call& call : MakeProgram(seed, {}).calls) ASSERT_TRUE(IsSound(call)) << TextOf(call);
  }
}

TEST(ParseCallGroupsTest, KnowsTheGroups) {
  EXPECT_EQ(*ParseCallGroups("kv,lease"), (CallGroups{CallGroup::kKv, CallGroup::kLease}));
  EXPECT_EQ(*ParseCallGroups("kv,txn,compact,lease,watch,status"), AllCallGroups());
  EXPECT_THAT(std::string(ParseCallGroups("kv,nonsense").status().message()),
              HasSubstr("\"nonsense\": kv, txn, compact"));
  EXPECT_FALSE(ParseCallGroups("").ok());
}

TEST(SoundnessTest, SortingByATargetThatIsNoneKillsEtcd) {
  etcdserverpb::RangeRequest range;
  range.set_sort_target(static_cast<etcdserverpb::RangeRequest::SortTarget>(5));
  EXPECT_FALSE(IsSound(range));
  etcdserverpb::TxnRequest txn;
  *txn.add_failure()->mutable_request_txn()->add_success()->mutable_request_range() = range;
  EXPECT_FALSE(IsSound(txn));
  range.set_sort_order(static_cast<etcdserverpb::RangeRequest::SortOrder>(3));
  EXPECT_TRUE(IsSound(range)) << "nothing is sorted";
}

TEST(SoundnessTest, KeepingWhatTheSameTransactionDeletedKillsEtcd) {
  etcdserverpb::TxnRequest txn;
  auto* const del = txn.add_success()->mutable_request_delete_range();
  auto* const nested = txn.add_success()->mutable_request_txn();
  auto* const put = nested->add_failure()->mutable_request_put();
  del->set_range_end(std::string(1, '\0'));
  EXPECT_TRUE(IsSound(txn));
  put->set_ignore_lease(true);
  EXPECT_FALSE(IsSound(txn));
  del->set_range_end("z");
  EXPECT_TRUE(IsSound(txn));
}

TEST(SoundnessTest, WhichOfTwoDrawnLeasesIsLessIsChance) {
  using etcdserverpb::Compare;
  etcdserverpb::TxnRequest flat, deep;
  Compare* const compare = flat.add_compare();
  compare->set_target(Compare::LEASE);
  compare->set_lease(kFirstDrawnLease + 1);
  const auto is_sound = [&](Compare::CompareResult result) {
    compare->set_result(result);
    *deep.mutable_failure() = {};
    *deep.add_failure()->mutable_request_txn()->add_success()->mutable_request_txn() = flat;
    EXPECT_EQ(IsSound(flat), IsSound(deep)) << TextOf(deep);
    return IsSound(flat);
  };
  EXPECT_FALSE(is_sound(Compare::LESS));
  EXPECT_FALSE(is_sound(Compare::GREATER));
  EXPECT_TRUE(is_sound(Compare::EQUAL));
  EXPECT_TRUE(is_sound(Compare::NOT_EQUAL));
  compare->set_lease(4);
  EXPECT_TRUE(is_sound(Compare::LESS)) << "all that are drawn are greater";
  EXPECT_TRUE(is_sound(Compare::GREATER));
}

TEST(SoundnessTest, AnswersMustNotBeChance) {
  EXPECT_FALSE(IsSound(etcdserverpb::LeaseGrantRequest())) << "the id would have no name";
  EXPECT_FALSE(IsSound(WatchCall())) << "nothing is answered";
}

TEST(TextTest, NamesSymbolsAndCutsStrings) {
  etcdserverpb::PutRequest put;
  put.set_key(std::string("a\0\xff", 3));
  put.set_value(std::string(100, 'x'));
  put.set_lease(kFirstDrawnLease + 2);
  EXPECT_EQ(TextOf(Call(put)),
            "Put { key: \"a\\x00\\xff\" value: \"xxxxxxxxxxxxxxxxxxxxxxxx\"... (100 bytes) "
            "lease: drawn2 }");
  WatchCall watch;
  watch.stream = 1;
  watch.request.mutable_create_request()->set_start_revision(kBaseRevision - 2);
  EXPECT_EQ(TextOf(Call(watch)),
            "WatchCreate on stream 1 { create_request { start_revision: base-2 } }");
}

}  // namespace
}  // namespace pontoon::differential
