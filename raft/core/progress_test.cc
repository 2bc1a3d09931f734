#include "raft/core/progress.h"

#include <gtest/gtest.h>

#include "raft/base/prng.h"

namespace pontoon::raft {
namespace {

constexpr size_t kBytes = 100;

class ProgressTest : public ::testing::Test {
 protected:
  // Entries next..last were sent.
  void Send(uint64_t last) {
    ASSERT_TRUE(progress_.CanSend());
    progress_.OnSent(LogIndex(last), kBytes, Instant::FromNanos(++clock_));
  }
  bool Accept(uint64_t match) { return progress_.OnAccepted(LogIndex(match)); }
  bool Reject(uint64_t rejected, uint64_t hint) {
    return progress_.OnRejected(LogIndex(rejected), LogIndex(hint));
  }
  void ExpectProbe(uint64_t match, uint64_t next) {
    EXPECT_EQ(progress_.state(), Progress::State::kProbe);
    Expect(match, next);
  }
  void ExpectReplicate(uint64_t match, uint64_t next) {
    EXPECT_EQ(progress_.state(), Progress::State::kReplicate);
    Expect(match, next);
  }

  Progress progress_{LogIndex(11), 3, 1000};

 private:
  void Expect(uint64_t match, uint64_t next) {
    EXPECT_EQ(progress_.match(), LogIndex(match));
    EXPECT_EQ(progress_.next(), LogIndex(next));
  }
  int64_t clock_ = 0;
};

TEST_F(ProgressTest, AProbeIsSentAloneUntilItIsAnswered) {
  ExpectProbe(0, 11);
  Send(12);
  EXPECT_FALSE(progress_.CanSend());
  ExpectProbe(0, 11);
  EXPECT_TRUE(Accept(12));
  ExpectReplicate(12, 13);
  EXPECT_TRUE(progress_.CanSend());
}

TEST_F(ProgressTest, AHeartbeatsAnswerAllowsTheProbeAgain) {
  Send(12);
  progress_.OnLaterHeartbeatAck();
  EXPECT_TRUE(progress_.CanSend());
  ExpectProbe(0, 11);
}

TEST_F(ProgressTest, SendsAheadWithinTheWindow) {
  Accept(10);
  ExpectReplicate(10, 11);
  Send(11);
  Send(12);
  Send(20);
  ExpectReplicate(10, 21);
  EXPECT_FALSE(progress_.CanSend());
  EXPECT_TRUE(Accept(11));
  EXPECT_TRUE(progress_.CanSend());
  EXPECT_TRUE(Accept(20));
  EXPECT_TRUE(progress_.inflights().empty());
}

TEST_F(ProgressTest, AnEmptyAppendIsNotInFlight) {
  Accept(10);
  Send(10);
  EXPECT_TRUE(progress_.inflights().empty());
  ExpectReplicate(10, 11);
}

// B29: answers come late, twice and out of order.
TEST_F(ProgressTest, OldAcceptancesTakeNothingBack) {
  Accept(10);
  Send(12);
  Send(14);
  EXPECT_TRUE(Accept(14));
  EXPECT_FALSE(Accept(12));
  EXPECT_FALSE(Accept(14));
  EXPECT_FALSE(Accept(3));
  ExpectReplicate(14, 15);
}

TEST_F(ProgressTest, AnAcceptanceBeyondWhatIsKnownToBeSentMovesNext) {
  Accept(10);
  Send(12);
  progress_.OnLoss();
  ExpectProbe(10, 11);
  EXPECT_TRUE(Accept(12));
  ExpectReplicate(12, 13);
}

TEST_F(ProgressTest, ARejectionMovesTheProbeBack) {
  Send(12);
  EXPECT_TRUE(Reject(10, 4));
  ExpectProbe(0, 5);
  EXPECT_TRUE(progress_.CanSend());
}

TEST_F(ProgressTest, EachRejectionGoesBackByOneAtLeast) {
  Send(12);
  EXPECT_TRUE(Reject(10, 10));
  ExpectProbe(0, 10);
  Send(12);
  EXPECT_TRUE(Reject(9, 40));
  ExpectProbe(0, 9);
}

TEST_F(ProgressTest, ARejectionOfAnotherProbeIsIgnored) {
  Send(12);
  EXPECT_TRUE(Reject(10, 4));
  Send(12);
  EXPECT_FALSE(Reject(10, 4)) << "a duplicate";
  ExpectProbe(0, 5);
  EXPECT_FALSE(progress_.CanSend()) << "the probe at 4 is still unanswered";
}

TEST_F(ProgressTest, ARejectionOfWhatIsKnownToAgreeIsIgnored) {
  Accept(10);
  Send(12);
  EXPECT_FALSE(Reject(10, 3));
  EXPECT_FALSE(Reject(4, 0));
  EXPECT_FALSE(Reject(0, 0));
  ExpectReplicate(10, 13);
}

TEST_F(ProgressTest, AGapInThePipelineGoesBackToTheHint) {
  Accept(10);
  Send(11);
  Send(12);
  Send(13);
  EXPECT_TRUE(Reject(12, 11));
  ExpectProbe(10, 12);
  EXPECT_TRUE(progress_.inflights().empty());
}

TEST_F(ProgressTest, ARejectionNeverGoesBelowTheMatch) {
  Accept(10);
  Send(11);
  EXPECT_TRUE(Reject(11, 2));
  ExpectProbe(10, 11);
}

TEST_F(ProgressTest, AFollowerThatLostWhatItHadGetsItAgain) {
  Accept(10);
  Send(12);
  EXPECT_TRUE(Reject(12, 4));
  ExpectProbe(10, 11);
  Send(12);
  EXPECT_TRUE(Reject(10, 4)) << "as the answer to the probe this is no old one";
  ExpectProbe(10, 5);
  Send(7);
  EXPECT_FALSE(progress_.CanSend());
  EXPECT_FALSE(Accept(7)) << "nothing that could be committed because of it";
  ExpectProbe(10, 8);
  EXPECT_TRUE(progress_.CanSend());
  Send(12);
  EXPECT_TRUE(Accept(12));
  ExpectReplicate(12, 13);
}

TEST_F(ProgressTest, AFollowerThatLostWhatItHadMayLoseMore) {
  Accept(10);
  progress_.OnLoss();
  Send(10);
  EXPECT_TRUE(Reject(10, 4));
  Send(7);
  progress_.OnLoss();
  ExpectProbe(10, 5);
  Send(7);
  EXPECT_TRUE(Reject(4, 0));
  ExpectProbe(10, 1);
  Send(10);
  EXPECT_FALSE(Reject(3, 0)) << "not of this probe";
  EXPECT_FALSE(Accept(10));
  ExpectReplicate(10, 11);
}

TEST_F(ProgressTest, ALossGoesBackToTheMatch) {
  Accept(10);
  Send(11);
  Send(13);
  progress_.OnLoss();
  ExpectProbe(10, 11);
  EXPECT_TRUE(progress_.CanSend());
}

TEST_F(ProgressTest, ALossWhileProbingKeepsThePlace) {
  Send(12);
  Reject(10, 4);
  Send(6);
  progress_.OnLoss();
  ExpectProbe(0, 5);
  EXPECT_TRUE(progress_.CanSend());
}

TEST_F(ProgressTest, NothingIsSentWhileTheLogIsRead) {
  progress_.log_read_pending = true;
  EXPECT_FALSE(progress_.CanSend());
  progress_.OnLaterHeartbeatAck();
  EXPECT_FALSE(progress_.CanSend());
  progress_.log_read_pending = false;
  EXPECT_TRUE(progress_.CanSend());
}

TEST_F(ProgressTest, TheInvariantsHoldWhateverIsAnswered) {
  Prng prng(3);
  for (int round = 0; round < 500; ++round) {
    Progress progress(LogIndex(1 + prng.Below(10)), 1 + prng.Below(4), 1 + prng.Below(500));
    LogIndex match;
    for (int step = 0; step < 50; ++step) {
      switch (prng.Below(5)) {
        case 0:
          if (progress.CanSend()) {
            progress.OnSent(progress.next() + prng.Below(4) - 1, 50, Instant::FromNanos(step + 1));
          }
          break;
        case 1:
          progress.OnAccepted(LogIndex(prng.Below(20)));
          break;
        case 2:
          progress.OnRejected(LogIndex(prng.Below(20)), LogIndex(prng.Below(20)));
          break;
        case 3:
          progress.OnLoss();
          break;
        case 4:
          progress.OnLaterHeartbeatAck();
          break;
      }
      ASSERT_GE(progress.match(), match) << "the match never falls";
      ASSERT_GE(progress.next(), LogIndex(1));
      if (progress.state() == Progress::State::kProbe) {
        ASSERT_TRUE(progress.inflights().empty());
      } else {
        ASSERT_LT(progress.match(), progress.next());
      }
      match = progress.match();
    }
  }
}

// While it gets a snapshot, news of the log is noted, and does not bring back the appends.
TEST_F(ProgressTest, OnlyTheSnapshotsEndLeadsOutOfIt) {
  progress_.OnSnapshotNeeded();
  EXPECT_FALSE(Reject(10, 4));
  progress_.OnLoss();
  EXPECT_TRUE(Accept(5));
  EXPECT_FALSE(Accept(3)) << "an old one";
  EXPECT_EQ(progress_.state(), Progress::State::kSnapshot);
  EXPECT_FALSE(progress_.CanSend());
  EXPECT_EQ(progress_.next(), LogIndex(11)) << "which is what it lacks";
  progress_.OnSnapshotSent(LogIndex(20));
  ExpectProbe(5, 21);
}

// One that was begun long ago may end before what the follower has by now.
TEST_F(ProgressTest, ASnapshotTakesNothingBack) {
  progress_.OnSnapshotNeeded();
  Accept(5);
  progress_.OnSnapshotSent(LogIndex(3));
  ExpectProbe(5, 6);
}

}  // namespace
}  // namespace pontoon::raft
