#include "raft/node/change_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pontoon::raft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = MembershipChange::Kind;

constexpr NodeId kSelf{1};

RequestId Request(uint64_t sequence) { return {kSelf, sequence}; }

class ChangeTrackerTest : public ::testing::Test {
 protected:
  void Add(absl::Duration timeout = absl::Seconds(5)) {
    tracker_.Add({{{Kind::kRemove, NodeId(2)}}, now_ + timeout, [this](ChangeOutcome outcome) {
                    outcomes_.push_back(Name(outcome));
                  }});
  }
  static std::string Name(const ChangeOutcome& outcome) {
    if (std::holds_alternative<ChangeMade>(outcome)) return "made";
    if (std::holds_alternative<ChangeUnknown>(outcome)) return "unknown";
    return RefusalText(std::get<ChangeRefusal>(outcome));
  }
  static void Run(std::vector<CompletedChange> completed) {
    Completions completions;
    completions.Add(std::move(completed));
    std::move(completions).Run();
  }
  // Offers the next one under a new number, and has it taken in `term`.
  RequestId Attempt(Term term, LogIndex commit = LogIndex(10)) {
    const RequestId request = Request(++sequence_);
    EXPECT_THAT(tracker_.TakeDue(now_, request, commit), SizeIs(1));
    tracker_.OnTaken(now_, request, term);
    return request;
  }
  void Refuse(RequestId request, ChangeRefusal refusal) {
    Run(tracker_.OnRefused(now_, request, refusal));
  }
  void Commit(Term term, LogIndex base, std::vector<MembershipHistory::Item> memberships = {{}}) {
    tracker_.OnCommitted({base, term, memberships});
  }
  void Advance(absl::Duration by) {
    now_ = now_ + by;
    Run(tracker_.Expire(now_));
  }

  Instant now_ = Instant::FromNanos(1000000000);
  ChangeTracker tracker_;
  uint64_t sequence_ = 0;
  std::vector<std::string> outcomes_;
};

TEST_F(ChangeTrackerTest, AnAttemptThatIsDoneIsAChangeMade) {
  EXPECT_FALSE(tracker_.HasDue(now_));
  Add();
  EXPECT_TRUE(tracker_.HasDue(now_));
  const RequestId request = Attempt(Term(3));
  EXPECT_FALSE(tracker_.HasDue(now_));
  Run(tracker_.OnDone(Request(99)));
  EXPECT_THAT(outcomes_, IsEmpty());
  Run(tracker_.OnDone(request));
  EXPECT_THAT(outcomes_, ElementsAre("made"));
  EXPECT_TRUE(tracker_.empty());
}

TEST_F(ChangeTrackerTest, OnlyWhatIsRefusedForTheMomentIsTriedAgain) {
  for (const ChangeRefusal refusal : {ChangeRefusal::kNoLeader, ChangeRefusal::kBusy}) {
    Add();
    Refuse(Attempt(Term(3)), refusal);
    EXPECT_FALSE(tracker_.HasDue(now_));
    EXPECT_EQ(tracker_.NextDeadline(), now_ + ChangeTracker::kTryAgainDelay);
    Advance(ChangeTracker::kTryAgainDelay);
    Refuse(Attempt(Term(3)), refusal);
    tracker_.OnLeader();
    EXPECT_TRUE(tracker_.HasDue(now_)) << "news of a leader";
    Run(tracker_.OnDone(Attempt(Term(4))));
    EXPECT_THAT(std::exchange(outcomes_, {}), ElementsAre("made"));
  }
  Add();
  Refuse(Attempt(Term(4)), ChangeRefusal::kUnknownMember);
  EXPECT_THAT(outcomes_, ElementsAre(RefusalText(ChangeRefusal::kUnknownMember)));
}

TEST_F(ChangeTrackerTest, WhatIsSaidOfAnOldAttemptIsNoNewsOfTheNextOne) {
  Add();
  const RequestId old = Attempt(Term(3));
  Refuse(old, ChangeRefusal::kBusy);
  tracker_.OnLeader();
  const RequestId next = Attempt(Term(4));
  Refuse(old, ChangeRefusal::kUnknownMember);
  EXPECT_THAT(outcomes_, IsEmpty());
  Run(tracker_.OnDone(next));
  EXPECT_THAT(outcomes_, ElementsAre("made"));
}

TEST_F(ChangeTrackerTest, AtItsDeadlineAnAttemptIsUnknownAndAWishRefused) {
  Add();
  Attempt(Term(3));
  Add();
  Refuse(Attempt(Term(3)), ChangeRefusal::kBusy);
  Advance(absl::Seconds(4.9));
  EXPECT_THAT(outcomes_, IsEmpty());
  Advance(absl::Seconds(0.1));
  EXPECT_THAT(outcomes_, ElementsAre("unknown", RefusalText(ChangeRefusal::kBusy)));
}

TEST_F(ChangeTrackerTest, GivesUpAll) {
  Add();
  Attempt(Term(3));
  Add();
  Run(tracker_.GiveUp());
  EXPECT_THAT(outcomes_, ElementsAre("unknown", RefusalText(ChangeRefusal::kNoLeader)));
  EXPECT_EQ(tracker_.NextDeadline(), Instant::InfiniteFuture());
}

TEST_F(ChangeTrackerTest, AnAttemptIsDeadOnceALaterTermHasCommittedWithoutIt) {
  Add();
  Attempt(Term(3));
  Commit(Term(3), LogIndex(5));
  EXPECT_FALSE(tracker_.HasDue(now_)) << "it may still come";
  Commit(Term(4), LogIndex(10));
  EXPECT_TRUE(tracker_.HasDue(now_));
}

TEST_F(ChangeTrackerTest, AnAttemptThatIsInTheLogIsAlive) {
  Add();
  const RequestId request = Attempt(Term(3));
  Commit(Term(4), LogIndex(5), {{}, {LogIndex(11), request, {.voters = {kSelf}}}});
  EXPECT_FALSE(tracker_.HasDue(now_));
  Run(tracker_.OnDone(request));
  EXPECT_THAT(outcomes_, ElementsAre("made"));
}

// What the attempt became may be among the entries that are gone.
TEST_F(ChangeTrackerTest, NothingIsSaidOfALogThatBeginsTooLate) {
  Add();
  Attempt(Term(3), LogIndex(10));
  Commit(Term(4), LogIndex(11));
  EXPECT_FALSE(tracker_.HasDue(now_));
  Advance(absl::Seconds(5));
  EXPECT_THAT(outcomes_, ElementsAre("unknown"));
}

TEST_F(ChangeTrackerTest, AnAttemptWithoutAnswerIsForwardedAgainInItsTermOnly) {
  Add();
  const RequestId request = Attempt(Term(3));
  EXPECT_EQ(tracker_.NextDeadline(), now_ + ChangeTracker::kForwardAgainDelay);
  EXPECT_THAT(tracker_.TakeUnanswered(now_, Term(3)), IsEmpty());
  Advance(ChangeTracker::kForwardAgainDelay);
  const auto unanswered = tracker_.TakeUnanswered(now_, Term(3));
  ASSERT_THAT(unanswered, SizeIs(1));
  EXPECT_EQ(unanswered[0].request, request);
  EXPECT_THAT(unanswered[0].changes, ElementsAre(MembershipChange{Kind::kRemove, NodeId(2)}));
  EXPECT_THAT(tracker_.TakeUnanswered(now_, Term(3)), IsEmpty());
  Advance(ChangeTracker::kForwardAgainDelay);
  EXPECT_THAT(tracker_.TakeUnanswered(now_, Term(4)), IsEmpty());
  EXPECT_GT(tracker_.NextDeadline(), now_) << "nobody is woken for it in vain";
}

}  // namespace
}  // namespace pontoon::raft
