// Equal histories have equal checksums, whatever was removed of them; others have not.

#include "kv/store/history_hash.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

bool Never() { return false; }

uint32_t HashOf(StoreHarness* h, int64_t revision = 0) {
  const auto hash = HashHistory(*h->store().View(), revision, Never);
  EXPECT_TRUE(hash.ok()) << hash.status();
  return hash.ok() ? hash->crc : 0;
}

TEST(HistoryHashTest, DependsOnEverythingThatCanBeRead) {
  StoreHarness h, same, value, order, lease;
  for (StoreHarness* each : {&h, &same}) {
    each->Put("a", "1");
    each->Put("b", "1");
  }
  value.Put("a", "1");
  value.Put("b", "2");
  order.Put("b", "1");
  order.Put("a", "1");
  EXPECT_EQ(HashOf(&h), HashOf(&same));
  EXPECT_NE(HashOf(&h), HashOf(&value));
  EXPECT_NE(HashOf(&h), HashOf(&order));
  EXPECT_EQ(HashOf(&h, 2), HashOf(&value, 2)) << "up to there they are equal";
  h.Delete("a");
  const uint32_t before = HashOf(&same);
  EXPECT_NE(HashOf(&h), before) << "a tombstone can be seen, too";
  EXPECT_EQ(HashOf(&h, 3), before);
}

TEST(HistoryHashTest, StandsOnTheCompactedRevision) {
  StoreHarness h, other;
  h.Put("a", "1");
  h.Put("a", "2");
  other.Put("a", "another");
  other.Put("a", "2");
  // Their versions count puts alike, so that nothing is left of the difference.
  EXPECT_NE(HashOf(&h), HashOf(&other));
  ASSERT_TRUE(h.Compact(3).ok());
  ASSERT_TRUE(other.Compact(3).ok());
  EXPECT_EQ(HashOf(&h), HashOf(&other));
  const auto hash = HashHistory(*h.store().View(), 0, Never);
  EXPECT_EQ(hash->compacted, Revision(3));
  EXPECT_EQ(hash->revision, Revision(3));
}

TEST(HistoryHashTest, DoesNotDependOnWhatIsRemoved) {
  StoreHarness scrubbed, kept;
  std::mt19937 random(7);
  for (int i = 0; i < 400; ++i) {
    const std::string key = absl::StrCat("k", random() % 20);
    const bool deletes = random() % 4 == 0;
    for (StoreHarness* h : {&scrubbed, &kept}) {
      if (deletes) {
        h->Delete(key);
      } else {
        h->Put(key, absl::StrCat(i));
      }
    }
    if (i % 50 != 49) continue;
    const int64_t revision = scrubbed.revision();
    const int64_t compacted = revision - static_cast<int64_t>(random() % 20);
    for (StoreHarness* h : {&scrubbed, &kept}) ASSERT_TRUE(h->Compact(compacted).ok());
    EXPECT_EQ(HashOf(&scrubbed), HashOf(&kept)) << "before the removal at " << i;
    scrubbed.executor().RunDue();
    for (int64_t at = compacted; at <= revision; ++at) {
      EXPECT_EQ(HashOf(&scrubbed, at), HashOf(&kept, at)) << at << " at " << i;
    }
  }
  EXPECT_NE(*HashRecords(*scrubbed.store().View(), Never),
            *HashRecords(*kept.store().View(), Never))
      << "nothing was removed: the test is worth nothing";
}

TEST(HistoryHashTest, EndsWhenNobodyWaits) {
  StoreHarness h;
  for (int i = 0; i < 1000; ++i) h.Put("k", "v");
  int looks = 0;
  const auto give_up = [&looks] { return ++looks == 2; };
  EXPECT_TRUE(Is(HashHistory(*h.store().View(), 0, give_up).status(), kErrCanceled));
  looks = 0;
  EXPECT_TRUE(Is(HashRecords(*h.store().View(), give_up).status(), kErrCanceled));
}

}  // namespace
}  // namespace pontoon::kv
