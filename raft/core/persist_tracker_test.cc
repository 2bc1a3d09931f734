#include "raft/core/persist_tracker.h"

#include <gtest/gtest.h>

namespace pontoon::raft {
namespace {

// Issues batches by what they do, and numbers them by itself.
class PersistTrackerTest : public ::testing::Test {
 protected:
  void HardState() {
    PersistBatch batch = Next();
    batch.hard_state = HardState_();
    tracker_.Issue(batch, Instant());
  }
  void Entries(uint64_t first, uint64_t last) {
    PersistBatch batch = Next();
    Add(&batch, first, last);
    tracker_.Issue(batch, Instant());
  }
  void Truncate(uint64_t from) {
    PersistBatch batch = Next();
    batch.truncate_from = LogIndex(from);
    tracker_.Issue(batch, Instant());
  }
  void Overwrite(uint64_t first, uint64_t last) {
    PersistBatch batch = Next();
    batch.truncate_from = LogIndex(first);
    Add(&batch, first, last);
    tracker_.Issue(batch, Instant());
  }
  void Durable(uint64_t seq) { tracker_.OnPersisted(PersistSeq(seq)); }
  uint64_t Stable() const { return tracker_.stable_index().value(); }

  PersistTracker tracker_{LogIndex(10)};

 private:
  static pontoon::HardState HardState_() { return {.term = Term(2), .vote = NodeId(1)}; }
  PersistBatch Next() const {
    return {.seq = tracker_.last_issued().Next(),
            .hard_state = std::nullopt,
            .reset_to = std::nullopt,
            .truncate_from = std::nullopt,
            .entries = {}};
  }
  static void Add(PersistBatch* batch, uint64_t first, uint64_t last) {
    for (uint64_t index = first; index <= last; ++index) {
      batch->entries.push_back({.index = LogIndex(index),
                                .term = Term(1),
                                .kind = EntryKind::kNoOp,
                                .request = {},
                                .payload = nullptr});
    }
  }
};

TEST_F(PersistTrackerTest, EntriesAreStableOnceDurable) {
  EXPECT_EQ(Stable(), 10u);
  Entries(11, 12);
  Entries(13, 13);
  EXPECT_EQ(Stable(), 10u);
  Durable(1);
  EXPECT_EQ(Stable(), 12u);
  Durable(2);
  EXPECT_EQ(Stable(), 13u);
}

TEST_F(PersistTrackerTest, OneReportCoversAllBatchesBefore) {
  Entries(11, 12);
  HardState();
  Entries(13, 15);
  Durable(3);
  EXPECT_EQ(Stable(), 15u);
  EXPECT_EQ(tracker_.durable_seq(), PersistSeq(3));
}

TEST_F(PersistTrackerTest, RepeatedAndOlderReportsDoNothing) {
  Entries(11, 12);
  Entries(13, 15);
  Durable(2);
  Durable(2);
  Durable(1);
  EXPECT_EQ(Stable(), 15u);
  EXPECT_EQ(tracker_.durable_seq(), PersistSeq(2));
}

TEST_F(PersistTrackerTest, ATruncationTakesEffectWhenIssued) {
  Truncate(8);
  EXPECT_EQ(Stable(), 7u);
  Durable(1);
  EXPECT_EQ(Stable(), 7u);
}

TEST_F(PersistTrackerTest, AnOverwrittenEndIsDurableOnlyWithItsOwnBatch) {
  Overwrite(9, 14);
  EXPECT_EQ(Stable(), 8u);
  Durable(1);
  EXPECT_EQ(Stable(), 14u);
}

// B31, B33: the entries 11..13 of batch 1 become durable when batch 2 has already replaced them.
TEST_F(PersistTrackerTest, AnOldBatchDoesNotVouchForTheEntriesThatReplaceIt) {
  Entries(11, 13);
  Overwrite(11, 13);
  Durable(1);
  EXPECT_EQ(Stable(), 10u);
  Durable(2);
  EXPECT_EQ(Stable(), 13u);
}

TEST_F(PersistTrackerTest, ThreeLeadersInARow) {
  Entries(11, 15);
  Overwrite(12, 16);
  Overwrite(14, 14);
  EXPECT_EQ(Stable(), 10u);
  Durable(1);
  EXPECT_EQ(Stable(), 11u) << "12..15 were replaced";
  Durable(2);
  EXPECT_EQ(Stable(), 13u) << "14..16 were replaced";
  Durable(3);
  EXPECT_EQ(Stable(), 14u);
}

TEST_F(PersistTrackerTest, ATruncationBehindTheDurableEndTakesNothing) {
  Entries(11, 11);
  Truncate(12);
  EXPECT_EQ(Stable(), 10u);
  Durable(2);
  EXPECT_EQ(Stable(), 11u);
}

TEST_F(PersistTrackerTest, RemembersTheLastHardState) {
  EXPECT_EQ(tracker_.last_hard_state(), PersistSeq(0));
  Entries(11, 11);
  HardState();
  Entries(12, 12);
  EXPECT_EQ(tracker_.last_hard_state(), PersistSeq(2));
  EXPECT_EQ(tracker_.last_issued(), PersistSeq(3));
  Durable(3);
  EXPECT_EQ(tracker_.last_hard_state(), PersistSeq(2));
}

using PersistTrackerDeathTest = PersistTrackerTest;

TEST_F(PersistTrackerDeathTest, BatchesAreCounted) {
  PersistBatch batch{.seq = PersistSeq(2),
                     .hard_state = std::nullopt,
                     .reset_to = std::nullopt,
                     .truncate_from = std::nullopt,
                     .entries = {}};
  EXPECT_DEATH(tracker_.Issue(batch, Instant()), "check failed");
  EXPECT_DEATH(Durable(1), "never issued");
}

}  // namespace
}  // namespace pontoon::raft
