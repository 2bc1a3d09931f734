#include "raft/node/read_coordinator.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pontoon::raft {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr ReadId kFirst{70};

Instant At(int64_t milliseconds) { return Instant::FromNanos(milliseconds * 1000000); }

// A coordinator whose callers have names, and whose answers are noted.
class ReadCoordinatorTest : public ::testing::Test {
 protected:
  explicit ReadCoordinatorTest(const ReadCoordinator::Options& options = {.first_id = kFirst,
                                                                          .waiting_max = 3})
      : reads_(options) {}

  void Add(const std::string& caller, Instant deadline = At(10000),
           ReadMode mode = ReadMode::kQuorum) {
    AddAt(Instant::InfinitePast(), caller, deadline, mode);
  }
  TurnDue AddAt(Instant now, const std::string& caller, Instant deadline = At(10000),
                ReadMode mode = ReadMode::kQuorum) {
    ReadCoordinator::AddOutcome added =
        reads_.Add(mode, now, deadline,
                   [this, caller](absl::Status status) { answers_[caller] = status.code(); });
    if (added.refused.has_value()) std::move(added.refused->done)(std::move(added.refused->status));
    return added.due;
  }
  bool HasWaiting() const { return reads_.NextBatch() != Instant::InfiniteFuture(); }
  void Run(std::vector<CompletedCall> completed) {
    for (auto& c : completed) std::move(c.done)(std::move(c.status));
  }
  void Apply(uint64_t index) { Run(reads_.TakeReadable(LogIndex(index))); }

  ReadCoordinator reads_;
  std::map<std::string, absl::StatusCode> answers_;
};

constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

TEST_F(ReadCoordinatorTest, AllThatWaitShareOneQuestion) {
  Add("a");
  Add("b");
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(0)), kFirst);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(0)), std::nullopt);
  reads_.OnGranted({kFirst, LogIndex(5)});
  Apply(4);
  EXPECT_THAT(answers_, IsEmpty());
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("a", kOk), Pair("b", kOk)));
}

TEST_F(ReadCoordinatorTest, EachModeHasItsOwnQuestion) {
  Add("quorum");
  Add("lease", At(10000), ReadMode::kLease);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(0)), kFirst);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kLease, At(0)), kFirst.Next());
  EXPECT_FALSE(HasWaiting());
  reads_.OnRefused(kFirst.Next());
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kLease, At(1)), kFirst.Next().Next()) << "as before";
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), kFirst.Next().Next().Next());
  // An answer serves all whose question is not newer.
  reads_.OnGranted({kFirst.Next().Next(), LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("lease", kOk)));
}

// An answer to a question that a lease may answer comes even without a quorum.
TEST_F(ReadCoordinatorTest, ALeaseDoesNotAnswerForThoseWhoWantAQuorum) {
  Add("quorum");
  Add("lease", At(10000), ReadMode::kLease);
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.BeginBatch(ReadMode::kLease, At(0));
  for (int copies = 0; copies < 2; ++copies) {
    reads_.OnGranted({kFirst.Next(), LogIndex(5)});
    Apply(5);
    EXPECT_THAT(answers_, ElementsAre(Pair("lease", kOk)));
  }
  // Another lease question does not make the first one forgotten, while somebody waits.
  Add("later", At(10000), ReadMode::kLease);
  reads_.BeginBatch(ReadMode::kLease, At(0));
  reads_.OnGranted({kFirst.Next(), LogIndex(5)});
  reads_.OnGranted({kFirst + 2, LogIndex(5)});
  Apply(5);
  EXPECT_FALSE(answers_.contains("quorum"));
  reads_.OnGranted({kFirst, LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, Contains(Pair("quorum", kOk)));
}

TEST_F(ReadCoordinatorTest, AQuorumAnswersForThoseWhoWouldTakeALease) {
  Add("lease", At(10000), ReadMode::kLease);
  reads_.BeginBatch(ReadMode::kLease, At(0));
  Add("quorum");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst.Next(), LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("lease", kOk), Pair("quorum", kOk)));
}

TEST_F(ReadCoordinatorTest, WhoComesAfterTheQuestionNeedsAnother) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("b");
  reads_.OnGranted({kFirst, LogIndex(5)});
  Apply(9);
  EXPECT_THAT(answers_, ElementsAre(Pair("a", kOk)));
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), kFirst.Next());
}

TEST_F(ReadCoordinatorTest, BatchesAreReadableByIndexNotByAge) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("b");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst, LogIndex(9)});
  reads_.OnGranted({kFirst.Next(), LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("b", kOk)));
}

TEST_F(ReadCoordinatorTest, RefusedIsAskedAgainUnderANewId) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnRefused(kFirst);
  EXPECT_TRUE(HasWaiting());
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), kFirst.Next());
  // A late answer to the first question says nothing about the second one.
  reads_.OnGranted({kFirst, LogIndex(1)});
  reads_.OnRefused(kFirst);
  Apply(9);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_FALSE(HasWaiting());
}

TEST_F(ReadCoordinatorTest, NewLeaderIsAskedAgainButAGrantStands) {
  Add("granted");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("asked");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst, LogIndex(5)});
  reads_.OnLeaderChange(/*leads=*/false);
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("granted", kOk)));
  EXPECT_TRUE(HasWaiting());
}

TEST_F(ReadCoordinatorTest, LostAnswerIsAskedForAgain) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  EXPECT_EQ(reads_.NextDeadline(), At(500));
  Run(reads_.Expire(At(499)));
  EXPECT_FALSE(HasWaiting());
  Run(reads_.Expire(At(500)));
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kLease, At(500)), std::nullopt) << "a wants a quorum";
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(500)), kFirst.Next());
  EXPECT_EQ(reads_.NextDeadline(), At(1000));
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(ReadCoordinatorTest, AnswersThatAllTakeLongServeThoseWhoAsked) {
  constexpr int64_t kAnswerTime = 600;
  std::map<int64_t, ReadId> answers_due;
  for (int64_t t = 0; t <= 3000; t += 300) {
    Add(absl::StrCat(t), At(t + 1000));
    Run(reads_.Expire(At(t)));
    if (const auto id = reads_.BeginBatch(ReadMode::kQuorum, At(t)))
      answers_due[t + kAnswerTime] = *id;
    if (answers_due.contains(t)) reads_.OnGranted({answers_due[t], LogIndex(1)});
    Apply(1);
    const std::string caller = absl::StrCat(t - kAnswerTime);
    if (t < kAnswerTime) continue;
    EXPECT_THAT(answers_, Contains(Pair(caller, kOk))) << "at " << t;
  }
}

TEST_F(ReadCoordinatorTest, OneQuestionAsksAgainForAll) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("b");
  reads_.BeginBatch(ReadMode::kQuorum, At(100));
  Run(reads_.Expire(At(500)));
  EXPECT_TRUE(HasWaiting());
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(500)), kFirst + 2);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(500)), std::nullopt);
  Run(reads_.Expire(At(600)));
  EXPECT_FALSE(HasWaiting());
  reads_.OnGranted({kFirst + 2, LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("a", kOk), Pair("b", kOk)));
}

TEST_F(ReadCoordinatorTest, NothingIsAskedAgainForThoseWhoAreGone) {
  Add("a", At(500));
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Run(reads_.Expire(At(500)));  // its own time is over, and that of its answer
  Add("b");
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(500)), kFirst + 1);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(500)), std::nullopt);
}

TEST_F(ReadCoordinatorTest, LaterAnswerServesEarlierCallersButNotTheReverse) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("b");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("c");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst.Next(), LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("a", kOk), Pair("b", kOk)));
}

TEST_F(ReadCoordinatorTest, AnswersToAnEarlierLifeAreNotHeard) {
  Add("a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  for (const ReadId foreign : {kFirst + 1, ReadId(~uint64_t{0}), ReadId(kFirst.value() - 1)}) {
    reads_.OnGranted({foreign, LogIndex(5)});
    reads_.OnRefused(foreign);
  }
  Apply(5);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_FALSE(HasWaiting());
}

class GatheringTest : public ReadCoordinatorTest {
 protected:
  GatheringTest()
      : ReadCoordinatorTest({.first_id = kFirst, .gather_delay = absl::Milliseconds(5)}) {}
};

TEST_F(GatheringTest, CallersGatherWhileAQuestionIsOut) {
  EXPECT_EQ(AddAt(At(0), "a"), TurnDue::kNow);
  EXPECT_EQ(AddAt(At(0), "b"), TurnDue::kNow) << "nothing is out yet";
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(0)), kFirst);
  EXPECT_EQ(AddAt(At(1), "c"), TurnDue::kSoon);
  EXPECT_EQ(AddAt(At(2), "d"), TurnDue::kSet);
  EXPECT_EQ(reads_.NextBatch(), At(5));
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(4)), std::nullopt);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(5)), kFirst + 1) << "without news, too";
  EXPECT_EQ(AddAt(At(9), "e"), TurnDue::kSoon) << "as long after the newest question";
  EXPECT_EQ(reads_.NextBatch(), At(10));
}

TEST_F(GatheringTest, NewsOfTheQuestionEndsIt) {
  AddAt(At(0), "a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  AddAt(At(1), "b");
  reads_.OnGranted({kFirst, LogIndex(5)});
  EXPECT_LE(reads_.NextBatch(), At(1));
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), kFirst + 1);
  AddAt(At(2), "c");
  reads_.OnRefused(kFirst + 1);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(2)), kFirst + 2) << "of b and c";
  AddAt(At(3), "d");
  reads_.OnLeaderChange(/*leads=*/false);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(3)), kFirst + 3);
  reads_.OnGranted({kFirst + 3, LogIndex(5)});
  Apply(5);
  EXPECT_EQ(answers_.size(), 4u);
}

TEST_F(GatheringTest, SoDoesTheEndOfAllWhoAsked) {
  AddAt(At(0), "a", At(2));
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  AddAt(At(1), "b");
  Run(reads_.Expire(At(2)));
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(2)), kFirst + 1);
}

TEST_F(GatheringTest, WhoLeadsDoesNotLetThemGather) {
  reads_.OnLeaderChange(/*leads=*/true);
  AddAt(At(0), "a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  EXPECT_EQ(AddAt(At(1), "b"), TurnDue::kNow);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), kFirst + 1);
  reads_.OnLeaderChange(/*leads=*/false);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), kFirst + 2);
  EXPECT_EQ(AddAt(At(2), "c"), TurnDue::kSoon);
}

TEST_F(GatheringTest, EachModeGathersForItself) {
  AddAt(At(0), "a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  EXPECT_EQ(AddAt(At(1), "lease", At(10000), ReadMode::kLease), TurnDue::kNow);
  EXPECT_EQ(AddAt(At(1), "b"), TurnDue::kSoon);
  EXPECT_LE(reads_.NextBatch(), At(1));
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kLease, At(1)), kFirst + 1);
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(1)), std::nullopt);
}

TEST_F(GatheringTest, WhoGathersIsInTheQuestionThatIsAskedAgain) {
  AddAt(At(0), "a");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Run(reads_.Expire(At(500)));
  AddAt(At(500), "b");
  EXPECT_EQ(reads_.BeginBatch(ReadMode::kQuorum, At(500)), kFirst + 1);
  reads_.OnGranted({kFirst + 1, LogIndex(5)});
  Apply(5);
  EXPECT_THAT(answers_, ElementsAre(Pair("a", kOk), Pair("b", kOk)));
}

TEST_F(ReadCoordinatorTest, DeadlineInEveryStage) {
  Add("granted", At(100));
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst, LogIndex(5)});
  Add("asked", At(100));
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("waiting", At(100));
  Run(reads_.Expire(At(100)));
  constexpr auto kExpired = absl::StatusCode::kDeadlineExceeded;
  EXPECT_THAT(answers_, ElementsAre(Pair("asked", kExpired), Pair("granted", kExpired),
                                    Pair("waiting", kExpired)));
  // Nothing of them is left.
  reads_.OnGranted({kFirst.Next(), LogIndex(5)});
  Apply(9);
  Run(reads_.Stop());
  EXPECT_EQ(answers_.size(), 3u);
}

TEST_F(ReadCoordinatorTest, TooManyAreRefused) {
  for (const char* caller : {"a", "b", "c", "d"}) Add(caller);
  EXPECT_THAT(answers_, ElementsAre(Pair("d", absl::StatusCode::kResourceExhausted)));
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst, LogIndex(5)});
  Add("e");
  EXPECT_EQ(answers_["e"], absl::StatusCode::kResourceExhausted);
  Apply(5);
  Add("f");
  EXPECT_FALSE(answers_.contains("f"));
}

TEST_F(ReadCoordinatorTest, StopAnswersEverybody) {
  Add("granted");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  reads_.OnGranted({kFirst, LogIndex(5)});
  Add("asked");
  reads_.BeginBatch(ReadMode::kQuorum, At(0));
  Add("waiting");
  Run(reads_.Stop());
  Add("late");
  EXPECT_EQ(answers_.size(), 4u);
  for (const auto& [caller, code] : answers_) EXPECT_EQ(code, kUnavailable) << caller;
}

}  // namespace
}  // namespace pontoon::raft
