#include "raft/storage/log_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pontoon::raft {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Notes only where it was told to begin.
class ResettableLog : public LogStore {
 public:
  absl::Status Write(std::span<const PersistBatch>) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<Entry>> Read(LogIndex, LogIndex, size_t) const override {
    return absl::OutOfRangeError("empty");
  }
  absl::Status DropPrefix(LogIndex) override { return absl::OkStatus(); }
  LogPosition base() const override { return {}; }
  uint64_t SizeBytes() const override { return 0; }
  absl::Status ResetTo(LogPosition base, std::string membership) override {
    reset_to = base;
    reset_membership = std::move(membership);
    return result;
  }

  std::optional<LogPosition> reset_to;
  std::string reset_membership;
  absl::Status result;
};

LogPosition At(uint64_t index, uint64_t term) { return {LogIndex(index), Term(term)}; }

// Entries 5 to 9; 5 and 6 of term 2, the others of term 4.
RecoveredLog SomeLog() {
  return {.hard_state = {Term{4}, NodeId{1}},
          .base = At(4, 1),
          .last = LogIndex{9},
          .terms = {{LogIndex{5}, Term{2}}, {LogIndex{7}, Term{4}}},
          .memberships = {}};
}

class LogFitTest : public testing::Test {
 protected:
  absl::Status Fit(LogPosition applied, uint64_t began_as = 0, std::string membership = "") {
    return FitLogToState("data/log", {applied, LogIndex(began_as), std::move(membership)}, &log_,
                         &recovered_);
  }
  void ExpectUntouched() {
    EXPECT_FALSE(log_.reset_to.has_value());
    EXPECT_EQ(recovered_.base, SomeLog().base);
    EXPECT_EQ(recovered_.last, SomeLog().last);
  }
  void ExpectResetTo(LogPosition position) {
    EXPECT_EQ(log_.reset_to, position);
    EXPECT_EQ(recovered_.base, position);
    EXPECT_EQ(recovered_.last, position.index);
    EXPECT_TRUE(recovered_.terms.empty());
  }

  ResettableLog log_;
  RecoveredLog recovered_ = SomeLog();
};

TEST_F(LogFitTest, AStateWithinItsLogIsFine) {
  for (const LogPosition applied : {At(4, 1), At(5, 2), At(6, 2), At(7, 4), At(9, 4)}) {
    for (const uint64_t began_as : {uint64_t{0}, uint64_t{3}, applied.index.value()}) {
      const absl::Status fit = Fit(applied, began_as);
      EXPECT_TRUE(fit.ok()) << fit;
      ExpectUntouched();
    }
  }
}

TEST_F(LogFitTest, AFreshMemberIsFine) {
  recovered_ = RecoveredLog{};
  EXPECT_TRUE(Fit(At(0, 0)).ok());
  EXPECT_FALSE(log_.reset_to.has_value());
}

TEST_F(LogFitTest, AStateThatTheLogBeginsAfterNeedsASnapshot) {
  EXPECT_TRUE(Fit(At(0, 0)).ok());
  EXPECT_TRUE(Fit(At(3, 1), 3).ok());
  ExpectUntouched();
}

TEST_F(LogFitTest, ASnapshotBeyondTheLogBeginsItAnew) {
  EXPECT_TRUE(Fit(At(20, 4), 20).ok());
  ExpectResetTo(At(20, 4));
}

TEST_F(LogFitTest, ASnapshotVoidsATailThatWasNeverCommitted) {
  EXPECT_TRUE(Fit(At(8, 3), 8).ok());
  ExpectResetTo(At(8, 3));
}

TEST_F(LogFitTest, WhatTheStateKnowsOfTheMembersGoesIntoTheLog) {
  const Membership membership{.voters = {NodeId(1), NodeId(2)}};
  const MembershipHistory::Item older{LogIndex(3), {}, {.voters = {NodeId(1)}}};
  recovered_.memberships = {older, {LogIndex(6), {}, {.voters = {NodeId(3)}}}};
  EXPECT_TRUE(Fit(At(20, 4), 20, EncodeMembership(membership)).ok());
  EXPECT_EQ(log_.reset_membership, EncodeMembership(membership));
  EXPECT_THAT(recovered_.memberships,
              ElementsAre(MembershipHistory::Item{LogIndex(20), {}, membership}));
}

TEST_F(LogFitTest, AStateThatKnowsNoMembersLeavesWhatWasBeforeTheLog) {
  const MembershipHistory::Item older{LogIndex(3), {}, {.voters = {NodeId(1)}}};
  recovered_.memberships = {older, {LogIndex(6), {}, {.voters = {NodeId(3)}}}};
  EXPECT_TRUE(Fit(At(20, 4), 20).ok());
  EXPECT_EQ(log_.reset_membership, "");
  EXPECT_THAT(recovered_.memberships, ElementsAre(older));
}

TEST_F(LogFitTest, AStateWithDamagedMembersIsRefused) {
  EXPECT_EQ(Fit(At(20, 4), 20, "damage").code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(log_.reset_to.has_value());
}

// What a node that starts takes for the configurations of its log.
TEST(RecoveredLog, TheFoundingMembersCountWhereNothingElseIsKnown) {
  const Membership founding{.voters = {NodeId(9)}};
  RecoveredLog log = SomeLog();
  EXPECT_EQ(log.HistoryFrom(founding).latest().membership, founding);

  const MembershipHistory::Item later{LogIndex(6), {}, {.voters = {NodeId(3)}}};
  log.memberships = {later};
  EXPECT_EQ(log.HistoryFrom(founding).At(LogIndex(5)).membership, founding);
  EXPECT_EQ(log.HistoryFrom(founding).latest(), later);

  const MembershipHistory::Item at_base{LogIndex(4), {}, {.voters = {NodeId(1)}}};
  log.memberships = {at_base, later};
  EXPECT_THAT(log.HistoryFrom(founding).items(), ElementsAre(at_base, later));
}

TEST_F(LogFitTest, AFailedResetIsPassedOn) {
  log_.result = absl::UnavailableError("no disk");
  EXPECT_EQ(Fit(At(20, 4), 20), log_.result);
}

// The log lost what it had synced: this member may have acknowledged more than either holds.
TEST_F(LogFitTest, AStateAheadOfItsLogIsALossOfData) {
  for (const RecoveredLog& log : {SomeLog(), RecoveredLog{}}) {
    recovered_ = log;
    const absl::Status fit = Fit(At(10, 4), 8);
    EXPECT_EQ(fit.code(), absl::StatusCode::kDataLoss) << fit;
    EXPECT_THAT(
        std::string(fit.message()),
        AllOf(HasSubstr(absl::StrCat("log data/log: ends at entry ", log.last.value(), ",")),
              HasSubstr("state/ holds what came up to entry 10"), HasSubstr("put the log back"),
              HasSubstr("must not vote")));
    EXPECT_FALSE(log_.reset_to.has_value());
  }
}

// With the log the votes went.
TEST_F(LogFitTest, ASnapshotDoesNotMakeUpForALostLog) {
  recovered_ = RecoveredLog{};
  EXPECT_EQ(Fit(At(20, 4), 20).code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(log_.reset_to.has_value());
}

TEST_F(LogFitTest, WhatNeverBelongedTogetherIsRefused) {
  const absl::Status fit = Fit(At(7, 2), 3);
  EXPECT_EQ(fit.code(), absl::StatusCode::kFailedPrecondition) << fit;
  EXPECT_THAT(std::string(fit.message()),
              HasSubstr("entry 7 is of term 4 in the log, and was applied as one of term 2"));
}

}  // namespace
}  // namespace pontoon::raft
