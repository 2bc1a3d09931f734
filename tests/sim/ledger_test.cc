#include "tests/sim/ledger.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/sim/fingerprint.h"
#include "tests/sim/options.h"
#include "tests/sim/store.h"

namespace pontoon::sim {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  Operation Put(uint32_t key) {
    Operation operation;
    operation.id = history_.NextId();
    operation.key = KeyId(key);
    operation.value = Value(operation.id.value());
    return operation;
  }

  // An entry with a write that a client began.
  Entry EntryOf(uint64_t index, uint64_t term, const Operation& operation) {
    const Payload command = store_->Encode(operation);
    OperationRecord record;
    record.operation = operation;
    record.command_digest = Mix(0, *command);
    history_.Add(record);
    return {.index = LogIndex(index),
            .term = Term(term),
            .kind = EntryKind::kCommand,
            .request = {NodeId(1), index},
            .payload = command};
  }

  void Apply(uint64_t node, const Entry& entry) {
    ledger_.OnApplied(NodeId(node), entry, entry.term);
  }

  EventLoop loop_{1};
  Coverage coverage_;
  History history_;
  Ledger ledger_{&loop_, SimOptions().FoundingMembership(), &history_, &coverage_};
  const std::unique_ptr<SimStore> store_ = NewModelStore();
};

using LedgerDeathTest = LedgerTest;

TEST_F(LedgerTest, KnowsTheStateAfterEachEntry) {
  Apply(1, EntryOf(1, 1, Put(5)));
  Apply(1, EntryOf(2, 1, Put(6)));
  Apply(1, EntryOf(3, 1, Put(5)));
  EXPECT_EQ(ledger_.ValueAt(KeyId(5), LogIndex(0)), kAbsent);
  EXPECT_EQ(ledger_.ValueAt(KeyId(5), LogIndex(2)), Value(1));
  EXPECT_EQ(ledger_.ValueAt(KeyId(5), LogIndex(3)), Value(3));
  EXPECT_EQ(ledger_.ValueAt(KeyId(6), LogIndex(3)), Value(2));
  EXPECT_EQ(ledger_.EffectAt(LogIndex(3)), (Effect{.changed = true, .revision = 4}));
}

TEST_F(LedgerTest, TakesTheSameFromEveryNode) {
  const Entry entry = EntryOf(1, 1, Put(5));
  EXPECT_EQ(ledger_.OnApplied(NodeId(1), entry, Term(1)), Ledger::News::kFirst);
  EXPECT_EQ(ledger_.OnApplied(NodeId(2), entry, Term(1)), Ledger::News::kKnown);
}

TEST_F(LedgerDeathTest, FindsNodesThatApplyDifferently) {
  const Entry entry = EntryOf(1, 1, Put(5));
  Apply(1, entry);
  Entry later = entry;
  later.term = Term(2);
  EXPECT_DEATH(Apply(2, later), "another of term 1 was applied before");
}

TEST_F(LedgerDeathTest, FindsAnOperationThatIsAppliedTwice) {
  Entry entry = EntryOf(1, 1, Put(5));
  Apply(1, entry);
  entry.index = LogIndex(2);
  EXPECT_DEATH(Apply(1, entry), "applied a second time");
}

TEST_F(LedgerDeathTest, FindsWhatWasSaidNeverToBeApplied) {
  const Entry entry = EntryOf(1, 1, Put(5));
  history_.At(OperationId(1)).told = Told::kNotApplied;
  EXPECT_DEATH(Apply(1, entry), "its client was told that it never will be");
}

TEST_F(LedgerDeathTest, FindsAGap) {
  const Entry entry = EntryOf(2, 1, Put(5));
  EXPECT_DEATH(Apply(1, entry), "left out entries");
}

// ---- stores

TEST_F(LedgerDeathTest, FindsStoresThatHaveComeToDifferentStates) {
  Apply(1, EntryOf(1, 1, Put(5)));
  const StateMark mark{.revision = 2, .compacted = -1, .digest = 7};
  ledger_.OnState(NodeId(1), LogIndex(1), mark);
  ledger_.OnState(NodeId(2), LogIndex(1), mark);
  StateMark other = mark;
  other.digest = 8;
  EXPECT_DEATH(ledger_.OnState(NodeId(2), LogIndex(1), other), "another state than others");
  other = mark;
  other.compacted = 1;
  EXPECT_DEATH(ledger_.OnState(NodeId(2), LogIndex(1), other), "compacted otherwise");
  other = mark;
  other.revision = 3;
  EXPECT_DEATH(ledger_.OnState(NodeId(2), LogIndex(1), other), "check failed");
}

TEST_F(LedgerTest, KnowsThePast) {
  Apply(1, EntryOf(1, 1, Put(5)));
  Apply(1, EntryOf(2, 1, Put(6)));
  Operation compaction;
  compaction.id = history_.NextId();
  compaction.kind = OperationKind::kCompact;
  compaction.revision = 2;
  Entry entry = EntryOf(3, 1, Put(7));
  history_.At(OperationId(3)).operation = compaction;
  Apply(1, entry);
  EXPECT_EQ(ledger_.ValueAtRevision(KeyId(5), 1), kAbsent);
  EXPECT_EQ(ledger_.ValueAtRevision(KeyId(5), 2), Value(1));
  EXPECT_EQ(ledger_.ValueAtRevision(KeyId(5), 3), Value(1));
  EXPECT_EQ(ledger_.RevisionAt(LogIndex(1)), 2);
  EXPECT_EQ(ledger_.RevisionAt(LogIndex(3)), 3);
  EXPECT_EQ(ledger_.CompactedAt(LogIndex(2)), -1);
  EXPECT_EQ(ledger_.CompactedAt(LogIndex(3)), 2);
  EXPECT_TRUE(ledger_.WasCompactedTo(2));
  EXPECT_FALSE(ledger_.WasCompactedTo(3));
  ASSERT_EQ(ledger_.ChangesAt(3).size(), 1u);
  EXPECT_EQ(ledger_.ChangesAt(3)[0].key, KeyId(6));
}

// ---- configurations

Membership Voters(std::initializer_list<uint64_t> voters,
                  std::initializer_list<uint64_t> outgoing = {}) {
  Membership membership;
  for (const uint64_t id : voters) membership.voters.push_back(NodeId(id));
  for (const uint64_t id : outgoing) membership.outgoing.push_back(NodeId(id));
  return membership;
}

Entry ChangeTo(uint64_t index, uint64_t term, const Membership& membership) {
  return {.index = LogIndex(index),
          .term = Term(term),
          .kind = EntryKind::kMembership,
          .request = {},
          .payload = std::make_shared<const std::string>(EncodeMembership(membership))};
}

TEST_F(LedgerTest, FollowsTheConfigurationsAlongTheLog) {
  Apply(1, ChangeTo(1, 1, Voters({1, 2, 4}, {1, 2, 3})));
  Apply(1, ChangeTo(2, 2, Voters({1, 2, 4})));
  EXPECT_EQ(ledger_.memberships().At(LogIndex(0)).membership, Voters({1, 2, 3}));
  EXPECT_TRUE(ledger_.memberships().At(LogIndex(1)).membership.IsJoint());
  EXPECT_EQ(ledger_.memberships().latest().membership, Voters({1, 2, 4}));
  EXPECT_TRUE(ledger_.WasEverMember(NodeId(3)));
  EXPECT_FALSE(ledger_.WasEverMember(NodeId(5)));
  EXPECT_EQ(coverage_.paths[static_cast<size_t>(Path::kJointLeftByAnother)], 1u);
}

TEST_F(LedgerDeathTest, FindsVotersThatChangeWithoutAJointConfiguration) {
  EXPECT_DEATH(Apply(1, ChangeTo(1, 1, Voters({1, 2}))), "at one blow");
}

TEST_F(LedgerDeathTest, FindsAJointConfigurationFromElsewhere) {
  EXPECT_DEATH(Apply(1, ChangeTo(1, 1, Voters({1, 2}, {1, 2, 4}))), "check failed");
}

TEST_F(LedgerDeathTest, FindsAJointConfigurationThatLeadsElsewhere) {
  Apply(1, ChangeTo(1, 1, Voters({1, 2, 4}, {1, 2, 3})));
  EXPECT_DEATH(Apply(1, ChangeTo(2, 1, Voters({1, 2}))), "check failed");
}

// What runs on the model says something of the store only if both do the same.
TEST(StoresTest, AreTheSame) {
  const std::unique_ptr<SimStore> stores[] = {NewModelStore(), NewLevelDbStore()};
  StateMachine* machines[] = {stores[0]->Open(nullptr), stores[1]->Open(nullptr)};
  Dice dice(1);
  uint64_t synced = 0;
  for (uint64_t index = 1; index <= 300; ++index) {
    Operation operation;
    operation.id = OperationId(index);
    operation.kind = static_cast<OperationKind>(dice.Below(3));
    operation.key = KeyId(static_cast<uint32_t>(dice.Below(4)));
    operation.value = Value(index);
    operation.expected = dice.OneIn(2) ? kAbsent : stores[0]->Read(operation.key).value;
    operation.padding_bytes = dice.Below(200);
    Effect effects[2];
    for (size_t i = 0; i < 2; ++i) {
      ApplyItem item{.entry = {.index = LogIndex(index),
                               .term = Term(1),
                               .kind = EntryKind::kCommand,
                               .request = {},
                               .payload = stores[i]->Encode(operation)},
                     .wants_result = true,
                     .result = nullptr};
      EXPECT_EQ(OperationOf(*item.entry.payload), operation.id);
      ASSERT_TRUE(machines[i]->Apply({&item, 1}).ok());
      effects[i] = stores[i]->EffectOf(*item.result);
    }
    ASSERT_EQ(effects[0], effects[1]) << index;
    ASSERT_EQ(stores[0]->Contents(), stores[1]->Contents()) << index;
    const bool crash = dice.OneIn(40);
    const bool sync = dice.OneIn(20);
    for (size_t i = 0; i < 2; ++i) {
      if (sync) stores[i]->Sync();
      if (!crash) continue;
      stores[i]->Crash();
      machines[i] = stores[i]->Open(nullptr);
    }
    if (sync) synced = index;
    if (crash) {
      ASSERT_EQ(machines[0]->Applied(), machines[1]->Applied());
      ASSERT_EQ(stores[0]->Contents(), stores[1]->Contents());
      ASSERT_EQ(machines[0]->Applied().index, LogIndex(synced));
      index = synced;
    }
  }
}

}  // namespace
}  // namespace pontoon::sim
