#include "raft/node/log_compactor.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "raft/env/testing/manual_time.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

class LogCompactorTest : public ::testing::Test {
 protected:
  static LogRetention Retention() {
    return {.step_entries = 100, .step_bytes = 1000, .keep_entries = 20, .keep_bytes = 5000};
  }

  // True if it was time, and something is dropped.
  std::optional<uint64_t> Consider(uint64_t base, uint64_t applied, uint64_t bytes) {
    picture_.base = LogIndex(base);
    picture_.applied = LogIndex(applied);
    picture_.bytes = bytes;
    dropped_.clear();
    compactor_.Consider(picture_);
    executor_.RunDue();
    if (dropped_.empty()) return std::nullopt;
    return dropped_.back().value();
  }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  Journal state_;
  std::vector<LogIndex> dropped_;
  absl::Status drop_result_;
  std::vector<absl::Status> fatal_;
  LogCompactor::Picture picture_;
  LogCompactor compactor_{Retention(), &executor_, &state_,
                          [this](LogIndex upto) {
                            dropped_.push_back(upto);
                            return drop_result_;
                          },
                          [this](const absl::Status& error) { fatal_.push_back(error); }};
};

TEST_F(LogCompactorTest, WaitsForEnoughEntries) {
  EXPECT_EQ(Consider(0, 99, 10), std::nullopt);
  EXPECT_EQ(Consider(0, 100, 10), 80u);
  EXPECT_EQ(Consider(80, 199, 10), std::nullopt);
  EXPECT_EQ(Consider(80, 200, 10), 180u);
}

TEST_F(LogCompactorTest, WaitsForEnoughBytes) {
  EXPECT_EQ(Consider(0, 50, 999), std::nullopt);
  EXPECT_EQ(Consider(0, 50, 1000), 30u);
  EXPECT_EQ(Consider(0, 60, 1999), std::nullopt) << "whole files only: nothing may have gone";
  EXPECT_EQ(Consider(0, 60, 2000), 40u);
  EXPECT_EQ(Consider(40, 65, 300), std::nullopt);
  EXPECT_EQ(Consider(40, 90, 1300), 70u) << "counted from what was left";
}

TEST_F(LogCompactorTest, ALogThatIsLongAtTheStartDoesNotWait) {
  EXPECT_EQ(Consider(1000, 1100, 10), 1080u);
}

TEST_F(LogCompactorTest, KeepsWhatFollowersNeed) {
  picture_.needed_after = LogIndex(40);
  EXPECT_EQ(Consider(0, 100, 50'000), 40u);
}

TEST_F(LogCompactorTest, KeepsNoLessThanIsAlwaysKept) {
  picture_.needed_after = LogIndex(95);
  EXPECT_EQ(Consider(0, 100, 50'000), 80u);
}

TEST_F(LogCompactorTest, DropsNothingThatIsGoneAlready) {
  picture_.needed_after = LogIndex(40);
  EXPECT_EQ(Consider(40, 200, 10), std::nullopt);
}

TEST_F(LogCompactorTest, AShortLogIsKept) { EXPECT_EQ(Consider(0, 15, 50'000), std::nullopt); }

TEST_F(LogCompactorTest, AStateBehindTheLogIsLeftAlone) {
  EXPECT_EQ(Consider(500, 0, 50'000), std::nullopt);
  EXPECT_EQ(Consider(500, 599, 10), std::nullopt) << "counted from the log's begin";
  EXPECT_EQ(Consider(500, 600, 10), 580u);
}

TEST_F(LogCompactorTest, NothingGoesBeforeTheStateIsDurable) {
  state_.Break();
  EXPECT_EQ(Consider(0, 100, 10), std::nullopt);
  EXPECT_EQ(fatal_.size(), 1u);
}

TEST_F(LogCompactorTest, AFailedDropIsFatal) {
  drop_result_ = absl::DataLossError("the disk is broken");
  Consider(0, 100, 10);
  EXPECT_EQ(fatal_, std::vector<absl::Status>{drop_result_});
}

TEST_F(LogCompactorTest, OneCompactionAtATime) {
  picture_.applied = LogIndex(100);
  compactor_.Consider(picture_);
  picture_.applied = LogIndex(300);
  compactor_.Consider(picture_);
  executor_.RunDue();
  EXPECT_EQ(dropped_, std::vector<LogIndex>{LogIndex(80)});
}

}  // namespace
}  // namespace pontoon::raft
