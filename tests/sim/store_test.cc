// Snapshots of the stores of a simulation. Both must do the same.

#include "tests/sim/store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "raft/base/membership.h"

namespace pontoon::sim {
namespace {

class StoreTest : public ::testing::TestWithParam<std::unique_ptr<SimStore> (*)()> {
 protected:
  // Puts `index` to the key of the same number.
  static void Apply(const SimStore& store, StateMachine* machine, uint64_t index) {
    Operation operation;
    operation.id = OperationId(index);
    operation.key = KeyId(static_cast<uint32_t>(index));
    operation.value = Value(index);
    ApplyItem item{.entry = {.index = LogIndex(index),
                             .term = Term(2),
                             .kind = EntryKind::kCommand,
                             .request = {},
                             .payload = store.Encode(operation)},
                   .wants_result = false,
                   .result = nullptr};
    ASSERT_TRUE(machine->Apply({&item, 1}).ok());
  }

  StoreTest() {
    for (uint64_t index = 1; index <= 5; ++index) Apply(*ahead_, ahead_machine_, index);
    Apply(*behind_, machine_, 1);
    behind_->Sync();
  }

  static std::string StreamOf(StateMachine* machine) {
    const auto source = machine->OpenSnapshot();
    EXPECT_EQ((*source)->position(), machine->Applied());
    std::string stream;
    for (std::string piece = *(*source)->Read(100); !piece.empty(); piece = *(*source)->Read(100)) {
      stream += piece;
    }
    return stream;
  }

  std::unique_ptr<SnapshotSink> Begin() { return *machine_->BeginSnapshot(kPosition); }

  std::unique_ptr<SnapshotSink> Finished() {
    std::unique_ptr<SnapshotSink> sink = Begin();
    EXPECT_TRUE(sink->Write(StreamOf(ahead_machine_)).ok());
    EXPECT_TRUE(sink->Finish().ok());
    return sink;
  }

  static constexpr LogPosition kPosition{LogIndex(5), Term(2)};

  const std::unique_ptr<SimStore> ahead_ = GetParam()();
  StateMachine* const ahead_machine_ = ahead_->Open(nullptr);
  const std::unique_ptr<SimStore> behind_ = GetParam()();
  StateMachine* machine_ = behind_->Open(nullptr);
};

TEST_P(StoreTest, AnInstalledStateIsThatOfTheOther) {
  ASSERT_TRUE(machine_->Install(Finished()).ok());
  EXPECT_EQ(machine_->Applied(), kPosition);
  EXPECT_EQ(behind_->Contents(), ahead_->Contents());
  Apply(*ahead_, ahead_machine_, 6);
  Apply(*behind_, machine_, 6);
  EXPECT_EQ(behind_->Contents(), ahead_->Contents());
  behind_->Close();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(behind_->Contents(), ahead_->Contents());
}

TEST_P(StoreTest, AnInstalledStateSurvivesACrash) {
  ASSERT_TRUE(machine_->Install(Finished()).ok());
  behind_->Crash();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(machine_->Applied(), kPosition);
  EXPECT_EQ(behind_->Contents(), ahead_->Contents());
}

TEST_P(StoreTest, AFinishedStateSurvivesACrash) {
  std::unique_ptr<SnapshotSink> sink = Finished();
  behind_->CutOff();
  sink.reset();
  behind_->Crash();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(machine_->Applied(), kPosition);
  EXPECT_EQ(behind_->Contents(), ahead_->Contents());
}

TEST_P(StoreTest, AnUnfinishedStateDoesNot) {
  std::unique_ptr<SnapshotSink> sink = Begin();
  ASSERT_TRUE(sink->Write(StreamOf(ahead_machine_)).ok());
  behind_->CutOff();
  sink.reset();
  behind_->Crash();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(machine_->Applied().index, LogIndex(1));
  EXPECT_TRUE(machine_->Install(Finished()).ok()) << "nothing is in the way of another";
}

TEST_P(StoreTest, ASinkThatIsDroppedLeavesNothing) {
  Finished().reset();
  behind_->Crash();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(machine_->Applied().index, LogIndex(1));
  EXPECT_TRUE(machine_->Install(Finished()).ok());
}

TEST_P(StoreTest, WhatIsNotAWholeSnapshotIsRefused) {
  const std::string stream = StreamOf(ahead_machine_);
  std::string changed = stream;
  changed[stream.size() / 2] ^= 1;
  for (const std::string& bytes :
       {std::string(), stream.substr(1), stream.substr(0, stream.size() - 1), changed,
        StreamOf(machine_)}) {
    std::unique_ptr<SnapshotSink> sink = Begin();
    sink->Write(bytes).IgnoreError();
    EXPECT_EQ(sink->Finish().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_P(StoreTest, TheMembershipIsPartOfTheState) {
  EXPECT_EQ(*machine_->Membership(), "");
  const std::string members = EncodeMembership({.voters = {NodeId(1), NodeId(3)}});
  ApplyItem item{.entry = {.index = LogIndex(2),
                           .term = Term(2),
                           .kind = EntryKind::kMembership,
                           .request = {},
                           .payload = std::make_shared<const std::string>(members)},
                 .wants_result = false,
                 .result = nullptr};
  ASSERT_TRUE(machine_->Apply({&item, 1}).ok());
  EXPECT_EQ(*machine_->Membership(), members);
  behind_->Sync();
  behind_->Crash();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(*machine_->Membership(), members);

  const std::unique_ptr<SimStore> other = GetParam()();
  StateMachine* const other_machine = other->Open(nullptr);
  std::unique_ptr<SnapshotSink> sink = *other_machine->BeginSnapshot(machine_->Applied());
  ASSERT_TRUE(sink->Write(StreamOf(machine_)).ok());
  ASSERT_TRUE(sink->Finish().ok());
  EXPECT_EQ(*sink->Membership(), members);
  ASSERT_TRUE(other_machine->Install(std::move(sink)).ok());
  EXPECT_EQ(*other_machine->Membership(), members);
  EXPECT_EQ(other->Contents(), behind_->Contents());
}

TEST_P(StoreTest, SinksAreForLaterStates) {
  EXPECT_EQ(machine_->BeginSnapshot({LogIndex(1), Term(2)}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  std::unique_ptr<SnapshotSink> sink = Begin();
  EXPECT_EQ(machine_->BeginSnapshot(kPosition).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_P(StoreTest, WhatIsSyncedSurvivesACrash) {
  Apply(*behind_, machine_, 2);
  ASSERT_TRUE(machine_->Sync().ok());
  Apply(*behind_, machine_, 3);
  behind_->Crash();
  machine_ = behind_->Open(nullptr);
  EXPECT_EQ(machine_->Applied().index, LogIndex(2));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, ::testing::Values(NewModelStore, NewLevelDbStore),
                         [](const auto& store) {
                           return store.param == NewModelStore ? "Model" : "LevelDb";
                         });

}  // namespace
}  // namespace pontoon::sim
