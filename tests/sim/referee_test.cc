#include "tests/sim/referee.h"

#include <gtest/gtest.h>

#include <memory>

#include "raft/node/testing/in_memory.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/fingerprint.h"
#include "tests/sim/history.h"
#include "tests/sim/options.h"
#include "tests/sim/store.h"

namespace pontoon::sim {
namespace {

constexpr NodeId kNode{1};
constexpr NodeId kLate{2};

// Node 1 has entries 1..3 of term 1, of which 1 and 2 were applied. Node 2 has none.
class RefereeTest : public testing::Test {
 protected:
  RefereeTest() {
    PersistBatch batch;
    for (uint64_t index = 1; index <= 3; ++index) batch.entries.push_back(EntryOf(index));
    Write(kNode, &log_, batch);
    for (size_t i = 0; i < 2; ++i) ledger_.OnApplied(kNode, batch.entries[i], Term(1));
    third_ = batch.entries[2];
  }

  Entry EntryOf(uint64_t index) {
    Operation operation;
    operation.id = history_.NextId();
    operation.key = KeyId(1);
    operation.value = Value(operation.id.value());
    OperationRecord record;
    record.operation = operation;
    const Payload command = store_->Encode(operation);
    record.command_digest = Mix(0, *command);
    history_.Add(record);
    return {.index = LogIndex(index),
            .term = Term(1),
            .kind = EntryKind::kCommand,
            .request = {kNode, index},
            .payload = command};
  }

  void Write(NodeId node, raft::LogStore* log, const PersistBatch& batch) {
    referee_.OnWrite(node, {&batch, 1});
    ASSERT_TRUE(log->Write({&batch, 1}).ok());
    referee_.OnWritten(node, {&batch, 1});
  }

  void Restart(NodeId node, const raft::MemoryLog& log) {
    referee_.OnRecovered(node, log.Recovered(), log);
  }

  static PersistBatch Reset(uint64_t index, uint64_t term) {
    PersistBatch batch;
    batch.reset_to = LogPosition{LogIndex(index), Term(term)};
    return batch;
  }

  EventLoop loop_{1};
  Coverage coverage_;
  History history_;
  Ledger ledger_{&loop_, SimOptions().FoundingMembership(), &history_, &coverage_};
  Referee referee_{&ledger_, &coverage_};
  const std::unique_ptr<SimStore> store_ = NewModelStore();
  raft::MemoryLog log_;
  raft::MemoryLog late_log_;
  Entry third_;
};

using RefereeDeathTest = RefereeTest;

TEST_F(RefereeTest, ADiskStillCountsForEntriesThatItDropped) {
  referee_.OnDropPrefix(kNode, LogIndex(2));
  ASSERT_TRUE(log_.DropPrefix(LogIndex(2)).ok());
  EXPECT_EQ(referee_.DurableLast(kNode), LogIndex(3));
  for (int life = 0; life < 2; ++life) {
    Restart(kNode, log_);
    EXPECT_EQ(referee_.DurableLast(kNode), LogIndex(3));
  }
}

TEST_F(RefereeTest, AStateStandsForTheEntriesThatItHolds) {
  PersistBatch batch = Reset(2, 1);
  batch.entries.push_back(third_);
  Write(kLate, &late_log_, batch);
  EXPECT_EQ(referee_.DurableLast(kLate), LogIndex(3));
  Restart(kLate, late_log_);
  EXPECT_EQ(referee_.DurableLast(kLate), LogIndex(3));
}

TEST_F(RefereeTest, AResetThatACrashCutsShortMayBeLost) {
  referee_.OnWrite(kNode, std::vector{Reset(2, 1)});
  EXPECT_EQ(referee_.DurableLast(kNode), LogIndex(2));
  Restart(kNode, log_);
  EXPECT_EQ(referee_.DurableLast(kNode), LogIndex(3));
}

TEST_F(RefereeDeathTest, OnlyWhatWasAppliedMayBeDropped) {
  EXPECT_DEATH(referee_.OnDropPrefix(kNode, LogIndex(3)), "drops what nobody has applied");
}

TEST_F(RefereeDeathTest, EntriesMustNotGoBeforeTheyAreDropped) {
  referee_.OnDropPrefix(kNode, LogIndex(1));
  ASSERT_TRUE(log_.DropPrefix(LogIndex(2)).ok());
  EXPECT_DEATH(Restart(kNode, log_), "begins after entries that were never dropped");
}

TEST_F(RefereeDeathTest, AStateMustHoldWhatWasApplied) {
  EXPECT_DEATH(referee_.OnWrite(kLate, std::vector{Reset(3, 1)}), "holds what nobody has applied");
  EXPECT_DEATH(referee_.OnWrite(kLate, std::vector{Reset(2, 2)}), "applied as one of term 1");
}

TEST_F(RefereeDeathTest, OneOfThreeDisksIsNoQuorum) {
  std::vector<ApplyItem> items(1);
  items[0].entry = third_;
  EXPECT_DEATH(referee_.OnApply(kNode, items), "no quorum of disks keeps it");
}

// A configuration in which node 1 decides alone is in effect from its entry on.
TEST_F(RefereeTest, TheConfigurationSaysWhatAQuorumIs) {
  Membership alone = SimOptions().FoundingMembership();
  alone.voters = {kNode};
  const Entry entry{.index = LogIndex(4),
                    .term = Term(1),
                    .kind = EntryKind::kMembership,
                    .request = {},
                    .payload = std::make_shared<const std::string>(EncodeMembership(alone))};
  PersistBatch batch;
  batch.entries.push_back(entry);
  Write(kNode, &log_, batch);
  std::vector<ApplyItem> items(1);
  items[0].entry = third_;
  referee_.OnApply(kNode, items);
  EXPECT_EQ(ledger_.last(), LogIndex(3));
}

TEST_F(RefereeDeathTest, ANodeGoesByTheConfigurationThatWasCommitted) {
  raft::ReplicaStatus status;
  status.self = kNode;
  status.commit = LogIndex(2);
  status.membership = SimOptions().FoundingMembership();
  referee_.OnStatus(status);
  status.membership.voters.pop_back();
  EXPECT_DEATH(referee_.OnStatus(status), "another configuration than was committed");
}

TEST_F(RefereeDeathTest, AResetIsNotForgotten) {
  Write(kLate, &late_log_, Reset(2, 1));
  EXPECT_DEATH(Restart(kLate, raft::MemoryLog()), "forgotten entries that were durable");
}

}  // namespace
}  // namespace pontoon::sim
