#include "raft/storage/write_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace pontoon::raft {
namespace {

PersistBatch Batch(uint64_t truncate_from, std::vector<uint64_t> indexes) {
  PersistBatch batch;
  if (truncate_from != 0) batch.truncate_from = LogIndex(truncate_from);
  for (uint64_t index : indexes) {
    batch.entries.push_back({.index = LogIndex(index),
                             .term = Term(1),
                             .kind = EntryKind::kNoOp,
                             .request = {},
                             .payload = nullptr});
  }
  return batch;
}

PersistBatch ResetBatch(uint64_t reset_to, std::vector<uint64_t> indexes) {
  PersistBatch batch = Batch(0, std::move(indexes));
  batch.reset_to = LogPosition{LogIndex(reset_to), Term(1)};
  return batch;
}

// The plan for a log of entries 3..10, as "<9 9 10 11": truncation, then entries. "=20 " for a
// reset.
std::string Plan(const std::vector<PersistBatch>& batches) {
  const WritePlan plan = MakeWritePlan(batches, LogIndex(2), LogIndex(10));
  std::string text;
  if (plan.reset_to) absl::StrAppend(&text, "=", plan.reset_to->index.value(), " ");
  if (plan.truncate_from) absl::StrAppend(&text, "<", plan.truncate_from->value(), " ");
  for (const Entry* entry : plan.entries) absl::StrAppend(&text, entry->index.value(), " ");
  return text;
}

TEST(WritePlan, JoinsBatches) {
  EXPECT_EQ(Plan({}), "");
  EXPECT_EQ(Plan({Batch(0, {11, 12}), Batch(0, {}), Batch(0, {13})}), "11 12 13 ");
}

TEST(WritePlan, TruncatesTheDisk) {
  EXPECT_EQ(Plan({Batch(9, {9})}), "<9 9 ");
  EXPECT_EQ(Plan({Batch(3, {})}), "<3 ");
  EXPECT_EQ(Plan({Batch(11, {11})}), "11 ") << "nothing is there to be dropped";
}

TEST(WritePlan, NeverWritesWhatALaterBatchDrops) {
  EXPECT_EQ(Plan({Batch(0, {11, 12}), Batch(12, {12})}), "11 12 ");
  EXPECT_EQ(Plan({Batch(0, {11, 12}), Batch(11, {})}), "");
  EXPECT_EQ(Plan({Batch(0, {11, 12}), Batch(9, {9})}), "<9 9 ");
  EXPECT_EQ(Plan({Batch(9, {9, 10, 11}), Batch(10, {10})}), "<9 9 10 ");
  EXPECT_EQ(Plan({Batch(9, {9}), Batch(7, {7}), Batch(8, {8})}), "<7 7 8 ");
}

TEST(WritePlan, AResetSupersedesWhatCameBeforeIt) {
  EXPECT_EQ(Plan({ResetBatch(20, {})}), "=20 ");
  EXPECT_EQ(Plan({ResetBatch(20, {21}), Batch(0, {22})}), "=20 21 22 ");
  EXPECT_EQ(Plan({Batch(9, {9}), Batch(0, {10}), ResetBatch(20, {21})}), "=20 21 ");
  EXPECT_EQ(Plan({ResetBatch(20, {21}), ResetBatch(30, {}), Batch(0, {31})}), "=30 31 ");
  EXPECT_EQ(Plan({ResetBatch(5, {6})}), "=5 6 ") << "also where the log had entries";
  EXPECT_EQ(Plan({ResetBatch(1, {2})}), "=1 2 ") << "also before them";
}

TEST(WritePlan, WhatFollowedAResetIsNeverWrittenIfALaterBatchDropsIt) {
  EXPECT_EQ(Plan({ResetBatch(20, {21, 22}), Batch(22, {22})}), "=20 21 22 ");
  EXPECT_EQ(Plan({ResetBatch(20, {21, 22}), Batch(21, {})}), "=20 ");
}

TEST(WritePlan, TheLastHardStateCounts) {
  std::vector<PersistBatch> batches(3);
  batches[0].hard_state = HardState{Term(1), NodeId(1)};
  batches[1].hard_state = HardState{Term(2), NodeId(3)};
  EXPECT_EQ(MakeWritePlan(batches, LogIndex(0), LogIndex(0)).hard_state,
            (HardState{Term(2), NodeId(3)}));
  batches[2].reset_to = LogPosition{LogIndex(20), Term(1)};
  EXPECT_EQ(MakeWritePlan(batches, LogIndex(0), LogIndex(0)).hard_state,
            (HardState{Term(2), NodeId(3)}))
      << "also of a batch that a reset supersedes";
}

TEST(WritePlanDeathTest, BatchesMustFitTheLog) {
  EXPECT_DEATH(Plan({Batch(0, {12})}), "contiguous");
  EXPECT_DEATH(Plan({Batch(2, {})}), "check failed");
  EXPECT_DEATH(Plan({Batch(12, {})}), "check failed");
  EXPECT_DEATH(Plan({ResetBatch(20, {22})}), "contiguous");
  EXPECT_DEATH(Plan({ResetBatch(20, {21}), Batch(20, {})}), "check failed");
}

// A reset without a configuration keeps the one that is known, and that may be of a reset before
// it.
TEST(WritePlan, KeepsTheLastMembershipOfItsResets) {
  const auto membership_of = [](const std::vector<PersistBatch>& batches) {
    const WritePlan plan = MakeWritePlan(batches, LogIndex(2), LogIndex(10));
    return plan.reset_membership ? *plan.reset_membership : "(none)";
  };
  PersistBatch plain = ResetBatch(20, {});
  PersistBatch one = ResetBatch(30, {});
  one.reset_membership = std::make_shared<const std::string>("one");
  PersistBatch two = ResetBatch(40, {});
  two.reset_membership = std::make_shared<const std::string>("two");
  EXPECT_EQ(membership_of({Batch(0, {11}), plain}), "(none)");
  EXPECT_EQ(membership_of({plain, one}), "one");
  EXPECT_EQ(membership_of({one, two}), "two");
  EXPECT_EQ(membership_of({one, two, plain}), "two");
}

}  // namespace
}  // namespace pontoon::raft
