// Reads through a view, with all their options. Names follow the rules of the API.

#include "kv/store/range.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::RangeRequest;
using ::etcdserverpb::RangeResponse;

class RangeTest : public testing::Test {
 protected:
  RangeRequest Everything() { return RangeOf(Zero(), Zero()); }

  RangeRequest Sorted(RangeRequest::SortTarget target, RangeRequest::SortOrder order) {
    RangeRequest request = Everything();
    request.set_sort_target(target);
    request.set_sort_order(order);
    return request;
  }

  std::string Read(const RangeRequest& request) { return Contents(h_.Range(request)); }

  StoreHarness h_;
};

TEST_F(RangeTest, RangeEndSaysWhichKeys) {
  for (const char* key : {"a", "a1", "a2", "b", "c"}) h_.Put(key, "x");
  EXPECT_EQ(Read(RangeOf("a")), "a=x");
  EXPECT_EQ(Read(RangeOf("missing")), "");
  EXPECT_EQ(Read(RangeOf("a1", "b")), "a1=x a2=x");
  EXPECT_EQ(Read(RangeOf("a", "b")), "a=x a1=x a2=x") << "a prefix";
  EXPECT_EQ(Read(RangeOf("a2", Zero())), "a2=x b=x c=x") << "from a key on";
  EXPECT_EQ(Read(Everything()), "a=x a1=x a2=x b=x c=x");
}

TEST_F(RangeTest, AnEmptyIntervalIsNoError) {
  h_.Put("a", "x");
  h_.Put("b", "x");
  for (int64_t revision : {0, 2}) {
    for (const char* end : {"a", "b"}) {
      RangeRequest request = RangeOf("b", end);
      request.set_revision(revision);
      RangeResponse response = h_.Range(request);
      EXPECT_EQ(response.count(), 0);
      EXPECT_EQ(response.kvs_size(), 0);
    }
  }
}

TEST_F(RangeTest, KeysAreBytes) {
  const std::string zero_in_key("a\0b", 3);
  const std::string high("\xff\xff", 2);
  h_.Put(high, "high");
  h_.Put(zero_in_key, "zero");
  h_.Put("a", "plain");
  h_.Put(Zero(), "lowest");
  h_.Put("z", "later");
  EXPECT_EQ(Read(RangeOf(zero_in_key)), zero_in_key + "=zero");
  const std::string all =
      Zero() + "=lowest a=plain " + zero_in_key + "=zero z=later " + high + "=high";
  EXPECT_EQ(h_.All(), all);
  h_.Put("zz", "still later");
  EXPECT_EQ(h_.All(6), all) << "the same through the history";
  EXPECT_EQ(Read(RangeOf("z", Zero())), "z=later zz=still later " + high + "=high");
}

TEST_F(RangeTest, RevisionZeroOrLessIsTheLatest) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  EXPECT_EQ(h_.Get("a", 0), "2");
  EXPECT_EQ(h_.Get("a", -1), "2");
  EXPECT_EQ(h_.Get("a", std::numeric_limits<int64_t>::min()), "2");
}

TEST_F(RangeTest, OldRevisionsShowWhatWas) {
  h_.Put("a", "1");      // 2
  h_.Put("b", "1");      // 3
  h_.Put("a", "2");      // 4
  h_.Delete("b");        // 5
  h_.Put("b", "again");  // 6
  EXPECT_EQ(h_.All(1), "");
  EXPECT_EQ(h_.All(2), "a=1");
  EXPECT_EQ(h_.All(3), "a=1 b=1");
  EXPECT_EQ(h_.All(4), "a=2 b=1");
  EXPECT_EQ(h_.All(5), "a=2");
  EXPECT_EQ(h_.All(6), "a=2 b=again");
  EXPECT_EQ(h_.Describe("b", 4), "3/3/1/0 1");
  EXPECT_EQ(h_.Describe("b", 6), "6/6/1/0 again");
  EXPECT_EQ(h_.Describe("a", 5), "2/4/2/0 2");
}

TEST_F(RangeTest, KeysWithManyVersionsAreSkippedWhole) {
  for (int i = 0; i < 50; ++i) {
    h_.Put("a", "a" + std::to_string(i));  // 2, 4, ...
    h_.Put("b", "b" + std::to_string(i));  // 3, 5, ...
  }
  EXPECT_EQ(h_.All(2), "a=a0");
  EXPECT_EQ(h_.All(3), "a=a0 b=b0");
  EXPECT_EQ(h_.All(50), "a=a24 b=b23");
  EXPECT_EQ(h_.All(101), "a=a49 b=b49");
}

TEST_F(RangeTest, FutureAndCompactedRevisionsAreErrors) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  h_.Put("a", "3");  // 4
  RangeRequest request = RangeOf("a");
  request.set_revision(5);
  EXPECT_TRUE(Is(h_.RangeStatus(request), kErrFutureRev));
  ASSERT_TRUE(h_.Compact(3).ok());
  request.set_revision(2);
  EXPECT_TRUE(Is(h_.RangeStatus(request), kErrCompacted));
  EXPECT_EQ(h_.Get("a", 3), "2") << "the compacted revision itself can be read";
}

TEST_F(RangeTest, TheHeaderHasTheCurrentRevision) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  RangeRequest request = RangeOf("a");
  request.set_revision(2);
  EXPECT_EQ(h_.Range(request).header().revision(), 3);
  EXPECT_EQ(h_.Range(RangeOf("a")).header().revision(), 3);
  EXPECT_EQ(h_.Range(RangeOf("a")).header().member_id(), 0u) << "the rest is the service's";
}

TEST_F(RangeTest, LimitCutsAndCountsOn) {
  for (const char* key : {"a", "b", "c"}) h_.Put(key, "x");
  h_.Put("d", "x");
  for (int64_t revision : {0, 4}) {
    RangeRequest request = RangeOf("a", "d");
    request.set_revision(revision);
    request.set_limit(2);
    RangeResponse response = h_.Range(request);
    EXPECT_EQ(Contents(response), "a=x b=x more");
    EXPECT_EQ(response.count(), 3);
    request.set_limit(3);
    EXPECT_EQ(Read(request), "a=x b=x c=x") << "just enough is not more";
    request.set_limit(0);
    EXPECT_EQ(Read(request), "a=x b=x c=x");
    request.set_limit(-1);
    EXPECT_EQ(Read(request), "a=x b=x c=x");
    request.set_limit(std::numeric_limits<int64_t>::max());
    EXPECT_EQ(Read(request), "a=x b=x c=x");
  }
}

TEST_F(RangeTest, CountOnlyHasTheCountAndNothingElse) {
  for (const char* key : {"a", "b", "c"}) h_.Put(key, "x");
  h_.Delete("b");
  RangeRequest request = Everything();
  request.set_count_only(true);
  request.set_limit(1);
  request.set_min_mod_revision(4);
  RangeResponse response = h_.Range(request);
  EXPECT_EQ(response.count(), 2) << "neither limit nor filters touch it";
  EXPECT_EQ(response.kvs_size(), 0);
  EXPECT_FALSE(response.more());
  request.set_revision(4);
  EXPECT_EQ(h_.Range(request).count(), 3);
}

TEST_F(RangeTest, KeysOnlyLeavesOutValuesAndNothingElse) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  RangeRequest request = RangeOf("a");
  request.set_keys_only(true);
  RangeResponse response = h_.Range(request);
  ASSERT_EQ(response.kvs_size(), 1);
  EXPECT_EQ(response.kvs(0).key(), "a");
  EXPECT_EQ(response.kvs(0).value(), "");
  EXPECT_EQ(response.kvs(0).create_revision(), 2);
  EXPECT_EQ(response.kvs(0).mod_revision(), 3);
  EXPECT_EQ(response.kvs(0).version(), 2);
}

TEST_F(RangeTest, FiltersAreInclusiveAndTheCountIsBeforeThem) {
  h_.Put("a", "x");  // created 2
  h_.Put("b", "x");  // created 3
  h_.Put("c", "x");  // created 4
  h_.Put("a", "y");  // 5
  RangeRequest request = Everything();
  request.set_min_mod_revision(4);
  EXPECT_EQ(Read(request), "a=y c=x");
  request.set_max_mod_revision(4);
  EXPECT_EQ(Read(request), "c=x");
  EXPECT_EQ(h_.Range(request).count(), 3);
  request = Everything();
  request.set_min_create_revision(3);
  EXPECT_EQ(Read(request), "b=x c=x");
  request.set_max_create_revision(3);
  EXPECT_EQ(Read(request), "b=x");
}

TEST_F(RangeTest, LimitComesAfterFilters) {
  for (const char* key : {"a", "b", "c", "d"}) h_.Put(key, "x");  // 2 to 5
  RangeRequest request = Everything();
  request.set_min_mod_revision(3);
  request.set_limit(2);
  EXPECT_EQ(Read(request), "b=x c=x more");
  request.set_limit(3);
  EXPECT_EQ(Read(request), "b=x c=x d=x");
}

TEST_F(RangeTest, SortsByEachTarget) {
  h_.Put("a", "2");  // created 2
  h_.Put("b", "3");  // created 3
  h_.Put("c", "1");  // created 4
  h_.Put("b", "3");  // b: version 2, mod 5
  h_.Put("b", "3");  // b: version 3, mod 6
  h_.Put("a", "2");  // a: version 2, mod 7
  const auto ascend = RangeRequest::ASCEND;
  const auto descend = RangeRequest::DESCEND;
  EXPECT_EQ(Read(Sorted(RangeRequest::KEY, ascend)), "a=2 b=3 c=1");
  EXPECT_EQ(Read(Sorted(RangeRequest::KEY, descend)), "c=1 b=3 a=2");
  EXPECT_EQ(Read(Sorted(RangeRequest::VERSION, ascend)), "c=1 a=2 b=3");
  EXPECT_EQ(Read(Sorted(RangeRequest::VERSION, descend)), "b=3 a=2 c=1");
  EXPECT_EQ(Read(Sorted(RangeRequest::CREATE, ascend)), "a=2 b=3 c=1");
  EXPECT_EQ(Read(Sorted(RangeRequest::CREATE, descend)), "c=1 b=3 a=2");
  EXPECT_EQ(Read(Sorted(RangeRequest::MOD, ascend)), "c=1 b=3 a=2");
  EXPECT_EQ(Read(Sorted(RangeRequest::MOD, descend)), "a=2 b=3 c=1");
  EXPECT_EQ(Read(Sorted(RangeRequest::VALUE, ascend)), "c=1 a=2 b=3");
  EXPECT_EQ(Read(Sorted(RangeRequest::VALUE, descend)), "b=3 a=2 c=1");
}

TEST_F(RangeTest, LimitComesAfterASort) {
  h_.Put("a", "3");
  h_.Put("b", "2");
  h_.Put("c", "1");
  RangeRequest request = Sorted(RangeRequest::VALUE, RangeRequest::ASCEND);
  request.set_limit(1);
  EXPECT_EQ(Read(request), "c=1 more");
  request = Sorted(RangeRequest::KEY, RangeRequest::DESCEND);
  request.set_limit(2);
  EXPECT_EQ(Read(request), "c=1 b=2 more");
}

TEST_F(RangeTest, ATargetWithoutAnOrderAscendsAmongTheFirstKeysOnly) {
  h_.Put("a", "4");
  h_.Put("b", "3");
  h_.Put("c", "2");
  h_.Put("d", "1");
  RangeRequest request = Sorted(RangeRequest::VALUE, RangeRequest::NONE);
  EXPECT_EQ(Read(request), "d=1 c=2 b=3 a=4");
  request.set_limit(2);  // a, b and one more key are fetched
  EXPECT_EQ(Read(request), "c=2 b=3 more");
  request.set_limit(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Read(request), "d=1 c=2 b=3 a=4");
  request.set_limit(2);
  request.set_min_mod_revision(1);  // a filter: everything is fetched
  EXPECT_EQ(Read(request), "d=1 c=2 more");
}

TEST_F(RangeTest, EqualTargetsAreInKeyOrder) {
  for (const char* key : {"c", "a", "b"}) h_.Put(key, "same");
  EXPECT_EQ(Read(Sorted(RangeRequest::VALUE, RangeRequest::ASCEND)), "a=same b=same c=same");
  EXPECT_EQ(Read(Sorted(RangeRequest::VALUE, RangeRequest::DESCEND)), "a=same b=same c=same");
}

TEST_F(RangeTest, KeysOnlyIsSortedByValuesAllTheSame) {
  h_.Put("a", "2");
  h_.Put("b", "1");
  RangeRequest request = Sorted(RangeRequest::VALUE, RangeRequest::ASCEND);
  request.set_keys_only(true);
  EXPECT_EQ(Read(request), "b= a=");
}

TEST_F(RangeTest, ALimitedSortOfALargeRangeIsExact) {
  constexpr int kKeys = 5000;  // more than is held at once
  std::vector<storage::v1::Command> commands(kKeys);
  for (int i = 0; i < kKeys; ++i) {
    int shuffled = i * 3571 % kKeys;
    *commands[i].mutable_put() =
        PutOf("k" + std::to_string(100000 + i), std::to_string(100000 + shuffled));
  }
  h_.ApplyAll(commands);
  RangeRequest request = Sorted(RangeRequest::VALUE, RangeRequest::DESCEND);
  request.set_limit(20);
  RangeResponse response = h_.Range(request);
  ASSERT_EQ(response.kvs_size(), 20);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(response.kvs(i).value(), std::to_string(100000 + kKeys - 1 - i));
  }
  EXPECT_TRUE(response.more());
  EXPECT_EQ(response.count(), kKeys);
}

TEST_F(RangeTest, UnknownEnumValuesAreErrors) {
  RangeRequest request = Everything();
  request.set_sort_order(static_cast<RangeRequest::SortOrder>(3));
  EXPECT_TRUE(Is(h_.RangeStatus(request), kErrInvalidSortOption));
  request = Everything();
  request.set_sort_target(static_cast<RangeRequest::SortTarget>(-1));
  EXPECT_TRUE(Is(h_.RangeStatus(request), kErrInvalidSortOption));
}

TEST_F(RangeTest, AnEmptyKeyIsAnError) {
  EXPECT_TRUE(Is(h_.RangeStatus(RangeOf("", "z")), kErrEmptyKey));
}

TEST_F(RangeTest, AViewNeverChanges) {
  h_.Put("a", "1");  // 2
  h_.Put("a", "2");  // 3
  std::shared_ptr<const ReadView> view = h_.store().View();
  h_.Put("a", "3");
  ASSERT_TRUE(h_.Compact(4).ok());
  h_.executor().RunDue();

  RangeRequest request = RangeOf("a");
  RangeResponse response;
  ASSERT_TRUE(view->Range(request, &response).ok());
  EXPECT_EQ(Contents(response), "a=2");
  EXPECT_EQ(response.header().revision(), 3);
  request.set_revision(2);
  response.Clear();
  ASSERT_TRUE(view->Range(request, &response).ok());
  EXPECT_EQ(Contents(response), "a=1") << "what was removed since is still in the picture";
  EXPECT_EQ(view->compacted(), kNeverCompacted);
  EXPECT_EQ(view->applied().index, LogIndex(2));
}

TEST_F(RangeTest, AViewOutlivesTheStore) {
  h_.Put("a", "1");
  std::shared_ptr<const ReadView> view = h_.store().View();
  h_.Close();
  RangeResponse response;
  ASSERT_TRUE(view->Range(RangeOf("a"), &response).ok());
  EXPECT_EQ(Contents(response), "a=1");
}

}  // namespace
}  // namespace pontoon::kv
