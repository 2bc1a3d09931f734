#include "raft/node/proposal_tracker.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pontoon::raft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kSelf{1};
constexpr uint64_t kFirst = 1000;

Instant At(int64_t milliseconds) { return Instant::FromNanos(milliseconds * 1000000); }

std::string Name(const ProposeOutcome& outcome) {
  if (const auto* applied = std::get_if<Applied>(&outcome)) {
    return "applied at " + std::to_string(applied->position.index.value());
  }
  if (const auto* not_applied = std::get_if<NotApplied>(&outcome)) {
    switch (not_applied->reason) {
      case NotApplied::Reason::kNoLeader:
        return "not applied: no leader";
      case NotApplied::Reason::kOverloaded:
        return "not applied: overloaded";
      case NotApplied::Reason::kStopped:
        return "not applied: stopped";
    }
  }
  return std::get<OutcomeUnknown>(outcome).reason == OutcomeUnknown::Reason::kDeadline
             ? "unknown: deadline"
             : "unknown: stopped";
}

// A tracker whose proposals are known by their commands, and whose outcomes are noted.
class ProposalTrackerTest : public ::testing::Test {
 protected:
  TurnDue Add(const std::string& command, Instant deadline = At(1000)) {
    auto added = tracker_.Add(
        std::make_shared<const std::string>(command), deadline,
        [this, command](ProposeOutcome outcome) { outcomes_[command] = Name(outcome); });
    if (added.refused) std::move(added.refused->done)(std::move(added.refused->outcome));
    return added.due;
  }

  // Takes what is queued: the commands. `offer_` and `offered_` keep it.
  std::vector<std::string> Take(size_t bytes_max = 1 << 20) {
    offered_.clear();
    offer_ = tracker_.TakeQueued(bytes_max, &offered_);
    std::vector<std::string> commands;
    for (const Proposal& proposal : offered_) commands.push_back(*proposal.payload);
    return commands;
  }
  std::vector<std::string> TakeInto(Term term, Instant now = At(0)) {
    std::vector<std::string> commands = Take();
    tracker_.OnTaken(offer_, term, now);
    return commands;
  }
  uint64_t SequenceOf(const std::string& command) const {
    for (const Proposal& proposal : offered_) {
      if (*proposal.payload == command) return proposal.request.sequence;
    }
    ADD_FAILURE() << command << " is not in the last offer";
    return 0;
  }

  // Applies an entry. True if proposals are to be taken because of it.
  bool Apply(Term term, RequestId request = {}) {
    std::vector<ApplyItem> items(1);
    items[0].entry = {.index = LogIndex(++last_index_),
                      .term = term,
                      .kind = EntryKind::kCommand,
                      .request = request,
                      .payload = nullptr};
    tracker_.MarkWanted(items);
    auto outcome = tracker_.OnApplied(items);
    Run(std::move(outcome.completed));
    return outcome.take_queued;
  }
  void Run(std::vector<CompletedProposal> completed) {
    for (auto& c : completed) std::move(c.done)(std::move(c.outcome));
  }

  ProposalInstruments instruments_;
  ProposalTracker tracker_{
      {.self = kSelf, .first_sequence = kFirst, .waiting_max = 4, .waiting_bytes_max = 1000},
      &instruments_};
  ProposalTracker::Offer offer_;
  std::vector<Proposal> offered_;
  uint64_t last_index_ = 0;
  std::map<std::string, std::string> outcomes_;
};

TEST_F(ProposalTrackerTest, TakenAndApplied) {
  Add("a");
  Add("b");
  EXPECT_THAT(TakeInto(Term(3)), ElementsAre("a", "b"));
  EXPECT_EQ(SequenceOf("a"), kFirst);
  EXPECT_EQ(SequenceOf("b"), kFirst + 1);
  EXPECT_FALSE(Apply(Term(3), {kSelf, SequenceOf("b")}));
  EXPECT_EQ(outcomes_["b"], "applied at 1");
  EXPECT_FALSE(outcomes_.contains("a"));
  Apply(Term(3), {kSelf, SequenceOf("a")});
  EXPECT_EQ(outcomes_["a"], "applied at 2");
}

TEST_F(ProposalTrackerTest, OnlyOwnWaitedForCommandsAreWanted) {
  Add("a");
  TakeInto(Term(3));
  std::vector<ApplyItem> items(3);
  items[0].entry.request = {kSelf, kFirst};
  items[1].entry.request = {kSelf, kFirst + 7};  // of an earlier life
  items[2].entry.request = {NodeId(2), kFirst};  // another node's
  tracker_.MarkWanted(items);
  EXPECT_TRUE(items[0].wants_result);
  EXPECT_FALSE(items[1].wants_result);
  EXPECT_FALSE(items[2].wants_result);
}

TEST_F(ProposalTrackerTest, RefusedAtOnceIsTriedAgainUnderANewNumber) {
  for (const Refusal refusal : {Refusal::kNoLeader, Refusal::kTransferring}) {
    outcomes_.clear();
    Add("a");
    Add("b");
    Take();
    const uint64_t before = SequenceOf("b");
    Run(tracker_.OnRefused(offer_, refusal));
    EXPECT_TRUE(tracker_.HasQueued());
    EXPECT_THAT(TakeInto(Term(3)), ElementsAre("a", "b"));
    EXPECT_GT(SequenceOf("a"), before);
    Apply(Term(3), {kSelf, SequenceOf("a")});
    Apply(Term(3), {kSelf, SequenceOf("b")});
    EXPECT_EQ(outcomes_.size(), 2u);
  }
}

TEST_F(ProposalTrackerTest, OverloadIsToldAtOnce) {
  Add("a");
  Take();
  Run(tracker_.OnRefused(offer_, Refusal::kOverloaded));
  EXPECT_EQ(outcomes_["a"], "not applied: overloaded");
  EXPECT_FALSE(tracker_.HasQueued());
}

TEST_F(ProposalTrackerTest, RefusedByTheLeaderIsTriedAgain) {
  Add("a");
  Add("b");
  TakeInto(Term(3));
  const RequestId refused{kSelf, SequenceOf("a")};
  const RequestId strangers{NodeId(2), SequenceOf("b")};
  EXPECT_TRUE(tracker_.OnRefusedLater(std::vector<RequestId>{refused, strangers}, Term(3)));
  EXPECT_THAT(TakeInto(Term(3)), ElementsAre("a"));
  // The same refusal again, late or doubled, is not about the new attempt.
  EXPECT_FALSE(tracker_.OnRefusedLater(std::vector<RequestId>{refused}, Term(3)));
  EXPECT_FALSE(tracker_.HasQueued());
}

TEST_F(ProposalTrackerTest, ARefusalOfAnEarlierTermSaysNothingOfThisOne) {
  Add("a");
  TakeInto(Term(3));
  const RequestId refused{kSelf, SequenceOf("a")};
  EXPECT_FALSE(tracker_.OnRefusedLater(std::vector<RequestId>{refused}, Term(4)));
  EXPECT_TRUE(tracker_.HasQueued());
}

TEST_F(ProposalTrackerTest, AttemptDiesOnlyWhenALaterTermIsApplied) {
  Add("a");
  TakeInto(Term(3));
  EXPECT_FALSE(Apply(Term(2)));
  EXPECT_FALSE(Apply(Term(3)));
  EXPECT_FALSE(tracker_.HasQueued());
  EXPECT_TRUE(Apply(Term(4)));
  EXPECT_THAT(TakeInto(Term(4)), ElementsAre("a"));
  // It lives in term 4 now.
  EXPECT_FALSE(Apply(Term(4)));
  EXPECT_TRUE(Apply(Term(6)));
  EXPECT_THAT(TakeInto(Term(6)), ElementsAre("a"));
  Apply(Term(6), {kSelf, SequenceOf("a")});
  EXPECT_EQ(outcomes_["a"], "applied at 6");
}

TEST_F(ProposalTrackerTest, AttemptInTheSameBatchAsTheLaterTermIsNotDead) {
  Add("a");
  Add("b");
  TakeInto(Term(3));
  std::vector<ApplyItem> items(2);
  items[0].entry = {.index = LogIndex(1),
                    .term = Term(3),
                    .kind = EntryKind::kCommand,
                    .request = {kSelf, SequenceOf("a")},
                    .payload = nullptr};
  items[1].entry = {.index = LogIndex(2), .term = Term(4), .request = {}, .payload = nullptr};
  tracker_.MarkWanted(items);
  auto outcome = tracker_.OnApplied(items);
  Run(std::move(outcome.completed));
  EXPECT_TRUE(outcome.take_queued);
  EXPECT_EQ(outcomes_["a"], "applied at 1");
  EXPECT_THAT(Take(), ElementsAre("b"));
}

// Whoever adds a proposal while none is under way has it taken; the others wait for news of those,
// and the first of them sees to it that they do not wait for long.
TEST_F(ProposalTrackerTest, ProposalsGatherWhileOthersAreUnderWay) {
  EXPECT_EQ(Add("a"), TurnDue::kNow);
  EXPECT_EQ(Add("b"), TurnDue::kNow) << "not taken yet";
  TakeInto(Term(3));
  const RequestId a{kSelf, SequenceOf("a")}, b{kSelf, SequenceOf("b")};
  EXPECT_EQ(Add("c"), TurnDue::kSoon);
  EXPECT_FALSE(Apply(Term(3), a)) << "b is still under way";
  EXPECT_EQ(Add("d"), TurnDue::kSet);
  EXPECT_TRUE(Apply(Term(3), b)) << "nothing more will come to have c and d taken";
  EXPECT_THAT(TakeInto(Term(3)), ElementsAre("c", "d"));
  EXPECT_FALSE(Apply(Term(3), {kSelf, SequenceOf("c")}));
  EXPECT_FALSE(Apply(Term(3), {kSelf, SequenceOf("d")})) << "nothing is queued";
  EXPECT_EQ(Add("e"), TurnDue::kNow);
}

TEST_F(ProposalTrackerTest, EachGatheringHasAFirstOne) {
  Add("a");
  TakeInto(Term(3));
  EXPECT_EQ(Add("b"), TurnDue::kSoon);
  TakeInto(Term(3));
  EXPECT_EQ(Add("c"), TurnDue::kSoon) << "b has been taken";
}

TEST_F(ProposalTrackerTest, WhatIsUnansweredForLongIsForwardedAgainUnderTheSameNames) {
  Add("a", At(9000));
  Add("b", At(9000));
  TakeInto(Term(3), At(0));
  const RequestId a{kSelf, SequenceOf("a")}, b{kSelf, SequenceOf("b")};
  Add("c", At(9000));
  TakeInto(Term(3), At(500));
  Apply(Term(3), a);
  EXPECT_THAT(tracker_.TakeUnanswered(At(999), Term(3), 1000), IsEmpty());
  EXPECT_THAT(tracker_.TakeUnanswered(At(1000), Term(4), 1000), IsEmpty()) << "of another term";
  const std::vector<Proposal> again = tracker_.TakeUnanswered(At(1000), Term(3), 1000);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].request, b);
  EXPECT_EQ(*again[0].payload, "b");
  EXPECT_EQ(tracker_.TakeUnanswered(At(1999), Term(3), 1000).size(), 1u) << "c alone";
  EXPECT_EQ(tracker_.TakeUnanswered(At(2999), Term(3), 1).size(), 1u) << "one at a time";
  EXPECT_EQ(tracker_.TakeUnanswered(At(2999), Term(3), 1).size(), 1u);
  Apply(Term(3), b);
  EXPECT_EQ(outcomes_["b"], "applied at 2") << "whichever copy was taken";
}

TEST_F(ProposalTrackerTest, ProposalsKeepTheirOrderWhenTriedAgain) {
  Add("a");
  Add("b");
  TakeInto(Term(3));
  Add("c");
  Apply(Term(4));
  EXPECT_THAT(Take(), ElementsAre("a", "b", "c"));
}

TEST_F(ProposalTrackerTest, DeadlineOfTheQueuedAndOfTheAttempted) {
  Add("attempted", At(100));
  TakeInto(Term(3));
  Add("queued", At(100));
  Add("later", At(200));
  EXPECT_EQ(tracker_.NextDeadline(), At(100));
  Run(tracker_.Expire(At(99)));
  EXPECT_THAT(outcomes_, IsEmpty());
  Run(tracker_.Expire(At(100)));
  EXPECT_EQ(outcomes_["attempted"], "unknown: deadline");
  EXPECT_EQ(outcomes_["queued"], "not applied: no leader");
  EXPECT_FALSE(outcomes_.contains("later"));
  EXPECT_EQ(tracker_.NextDeadline(), At(200));
}

TEST_F(ProposalTrackerTest, DeadAttemptCountsAsQueuedAtItsDeadline) {
  Add("a", At(100));
  TakeInto(Term(3));
  Apply(Term(4));
  Run(tracker_.Expire(At(100)));
  EXPECT_EQ(outcomes_["a"], "not applied: no leader");
}

TEST_F(ProposalTrackerTest, AppliedAfterItsDeadlineIsNotAnsweredTwice) {
  Add("a", At(100));
  TakeInto(Term(3));
  Run(tracker_.Expire(At(100)));
  Apply(Term(3), {kSelf, SequenceOf("a")});
  EXPECT_EQ(outcomes_["a"], "unknown: deadline");
}

TEST_F(ProposalTrackerTest, LooksForDeadlinesAreAStepApart) {
  Add("a", At(100));
  Add("b", At(101));
  Run(tracker_.Expire(At(100)));
  EXPECT_FALSE(outcomes_.contains("b"));
  EXPECT_EQ(tracker_.NextDeadline(), At(100) + DeadlineBound::kStep);
  Run(tracker_.Expire(tracker_.NextDeadline()));
  EXPECT_TRUE(outcomes_.contains("b"));
  EXPECT_EQ(tracker_.NextDeadline(), Instant::InfiniteFuture());
}

TEST_F(ProposalTrackerTest, TooManyAreRefused) {
  for (const char* command : {"a", "b", "c", "d", "e"}) Add(command);
  EXPECT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(outcomes_["e"], "not applied: overloaded");
  // The attempted count too; the completed do not.
  TakeInto(Term(3));
  Add("f");
  EXPECT_EQ(outcomes_["f"], "not applied: overloaded");
  Apply(Term(3), {kSelf, SequenceOf("a")});
  Add("g");
  EXPECT_FALSE(outcomes_.contains("g"));
}

TEST_F(ProposalTrackerTest, TooManyBytesAreRefused) {
  Add(std::string(800, 'x'));
  Add(std::string(200, 'y'));
  EXPECT_EQ(outcomes_[std::string(200, 'y')], "not applied: overloaded");
  TakeInto(Term(3));
  Apply(Term(3), {kSelf, kFirst});
  Add(std::string(800, 'z'));
  EXPECT_FALSE(outcomes_.contains(std::string(800, 'z')));
}

TEST_F(ProposalTrackerTest, OffersAreBoundedInBytesButNeverEmpty) {
  const std::string large(300, 'x');
  Add(large);
  Add("a");
  Add("b");
  EXPECT_THAT(Take(100), ElementsAre(large));
  EXPECT_THAT(Take(2 * (Entry::kOverheadBytes + 1)), ElementsAre("a", "b"));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(ProposalTrackerTest, StopAnswersEverybody) {
  Add("attempted");
  TakeInto(Term(3));
  Add("offered");
  Take();  // the loop stands between TakeQueued and OnTaken
  Add("queued");
  Run(tracker_.Stop());
  EXPECT_EQ(outcomes_["attempted"], "unknown: stopped");
  EXPECT_EQ(outcomes_["offered"], "unknown: stopped");
  EXPECT_EQ(outcomes_["queued"], "not applied: stopped");
  tracker_.OnTaken(offer_, Term(3), At(0));
  Add("late");
  EXPECT_EQ(outcomes_["late"], "not applied: stopped");
  EXPECT_THAT(Take(), IsEmpty());
}

}  // namespace
}  // namespace pontoon::raft
