#include "cmd/pontoonctl/mirror_changes.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

TEST(MirrorChanges, AreOneTransactionInWhichTheLastChangeOfAKeyCounts) {
  MirrorChanges changes;
  EXPECT_TRUE(changes.Take().empty());
  changes.Put("b", "1");
  changes.Delete("a");
  changes.Delete("b");
  changes.Put("b", "2");
  changes.Put("c", "3");
  changes.Delete("c");
  const auto requests = changes.Take();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].compare_size(), 0);
  ASSERT_EQ(requests[0].success_size(), 3);
  EXPECT_EQ(requests[0].success(0).request_delete_range().key(), "a");
  EXPECT_EQ(requests[0].success(1).request_put().key(), "b");
  EXPECT_EQ(requests[0].success(1).request_put().value(), "2");
  EXPECT_EQ(requests[0].success(2).request_delete_range().key(), "c");
  EXPECT_TRUE(changes.Take().empty());
}

TEST(MirrorChanges, StayWithinTheBoundsOfATransaction) {
  MirrorChanges many;
  for (size_t i = 0; i < 2 * kMirrorOperationsMax + 1; ++i) {
    EXPECT_EQ(many.AreMany(), i >= kMirrorOperationsMax);
    many.Put("key" + std::to_string(i), "");
  }
  const auto requests = many.Take();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].success_size(), static_cast<int>(kMirrorOperationsMax));
  EXPECT_EQ(requests[2].success_size(), 1);

  MirrorChanges large;
  large.Put("a", std::string(kMirrorTxnBytes / 2, 'x'));
  large.Put("b", std::string(kMirrorTxnBytes / 2 - 3, 'x'));
  EXPECT_FALSE(large.AreMany());
  large.Put("c", "1");
  large.Put("d", std::string(2 * kMirrorTxnBytes, 'x'));
  EXPECT_TRUE(large.AreMany());
  const auto by_size = large.Take();
  ASSERT_EQ(by_size.size(), 3u);
  EXPECT_EQ(by_size[0].success_size(), 2);
  EXPECT_EQ(by_size[1].success_size(), 1);
  EXPECT_EQ(by_size[2].success_size(), 1);
}

}  // namespace
}  // namespace pontoon::ctl
