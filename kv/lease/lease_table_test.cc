#include "kv/lease/lease_table.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

Instant At(int64_t seconds) { return Instant::FromNanos(seconds * 1'000'000'000); }

TEST(LeaseTableTest, FindsWhatIsThere) {
  LeaseTable table;
  EXPECT_EQ(table.First(), nullptr);
  EXPECT_EQ(table.Find(LeaseId(1)), nullptr);
  TimedLease* const lease = table.Insert(LeaseId(-1), At(5));
  lease->granted_ttl_seconds = 9'000'000'000;
  EXPECT_EQ(table.Find(LeaseId(-1)), lease);
  EXPECT_EQ(lease->granted_ttl_seconds, 9'000'000'000) << "the longest that there is";
  EXPECT_EQ(table.First(), lease);
  table.Erase(lease);
  EXPECT_EQ(table.Find(LeaseId(-1)), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(LeaseTableTest, ALeaseComesBackWithNothingOfTheFormerOne) {
  LeaseTable table;
  table.Insert(LeaseId(1), At(5))->has_checkpoint = true;
  table.Erase(table.Find(LeaseId(1)));
  EXPECT_FALSE(table.Insert(LeaseId(1), At(6))->has_checkpoint);
  table.Clear();
  EXPECT_EQ(table.Find(LeaseId(1)), nullptr);
  EXPECT_EQ(table.First(), nullptr);
}

// Against a model that is too simple to be wrong.
TEST(LeaseTableTest, KeepsOrderWhateverHappens) {
  Prng prng(7);
  LeaseTable table;
  std::map<int64_t, int64_t> due_of;
  for (int step = 0; step < 20'000; ++step) {
    const int64_t id = static_cast<int64_t>(prng.Below(200)) + 1;
    const int64_t due = static_cast<int64_t>(prng.Below(1000));
    TimedLease* const lease = table.Find(LeaseId(id));
    ASSERT_EQ(lease != nullptr, due_of.contains(id));
    if (lease == nullptr) {
      table.Insert(LeaseId(id), At(due));
      due_of[id] = due;
    } else if (prng.Below(3) == 0) {
      table.Erase(lease);
      due_of.erase(id);
    } else {
      table.SetDue(lease, At(due));
      due_of[id] = due;
    }
    ASSERT_EQ(table.size(), due_of.size());
    if (due_of.empty()) continue;
    int64_t first = due_of.begin()->second;
    for (const auto& [other, when] : due_of) first = std::min(first, when);
    ASSERT_EQ(table.First()->due, At(first));
    ASSERT_EQ(due_of.at(table.First()->id.value()), first);
  }
}

TEST(LeaseTableTest, AMillionLeasesTake64BytesEach) {
  constexpr int kLeases = 1'000'000;
  LeaseTable table;
  for (int i = 0; i < kLeases; ++i) table.Insert(LeaseId(int64_t{i} * 7919 + 1), At(i % 3600));
  EXPECT_LE(table.AllocatedBytes(), size_t{64} * kLeases);
  // Years of comings and goings add nothing to that.
  Prng prng(1);
  for (int i = 0; i < kLeases; ++i) {
    table.Erase(table.First());
    table.Insert(LeaseId(static_cast<int64_t>(prng.Next())), At(i % 3600));
  }
  EXPECT_LE(table.AllocatedBytes(), size_t{64} * kLeases);
}

}  // namespace
}  // namespace pontoon::kv
