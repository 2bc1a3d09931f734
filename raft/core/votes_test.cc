#include "raft/core/votes.h"

#include <gtest/gtest.h>

#include <string>

namespace pontoon::raft {
namespace {

using Outcome = Votes::Outcome;

std::vector<NodeId> FirstNodes(size_t count) {
  std::vector<NodeId> nodes;
  for (size_t i = 1; i <= count; ++i) nodes.push_back(NodeId(i));
  return nodes;
}

// One letter for each node from 1 on: y(es), n(o), or . for no answer yet.
Votes Answers(const std::string& letters) {
  Votes votes;
  for (size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] == 'y') votes.Record(NodeId(i + 1), Vote::kGranted);
    if (letters[i] == 'n') votes.Record(NodeId(i + 1), Vote::kDenied);
  }
  return votes;
}

TEST(Votes, AreWonAndLostByMajority) {
  const struct {
    const char* answers;
    Outcome outcome;
  } kCases[] = {
      {".", Outcome::kPending},       {"y", Outcome::kWon},         {"n", Outcome::kLost},
      {"y.", Outcome::kPending},      {"yy", Outcome::kWon},        {"yn", Outcome::kLost},
      {"y..", Outcome::kPending},     {"yy.", Outcome::kWon},       {"yn.", Outcome::kPending},
      {"ynn", Outcome::kLost},        {"yyn", Outcome::kWon},       {"nn.", Outcome::kLost},
      {"yy..", Outcome::kPending},    {"yyy.", Outcome::kWon},      {"yynn", Outcome::kLost},
      {"nn..", Outcome::kLost},       {"yy...", Outcome::kPending}, {"yyynn", Outcome::kWon},
      {"yynn.", Outcome::kPending},   {"ynnn.", Outcome::kLost},    {"yyyynnn", Outcome::kWon},
      {"yyy.nnn", Outcome::kPending},
  };
  for (const auto& c : kCases) {
    const Membership membership{
        .voters = FirstNodes(std::string(c.answers).size()), .outgoing = {}, .learners = {}};
    EXPECT_EQ(Answers(c.answers).Tally(membership), c.outcome) << c.answers;
  }
}

TEST(Votes, AJointConfigurationIsWonTwiceAndLostOnce) {
  const Membership joint{.voters = {NodeId(3), NodeId(4), NodeId(5)},
                         .outgoing = {NodeId(1), NodeId(2), NodeId(3)},
                         .learners = {NodeId(6), NodeId(7)}};
  EXPECT_EQ(Answers("yy...").Tally(joint), Outcome::kPending);
  EXPECT_EQ(Answers("...yy").Tally(joint), Outcome::kPending);
  EXPECT_EQ(Answers("y.yy.").Tally(joint), Outcome::kWon);
  EXPECT_EQ(Answers("yy.yy").Tally(joint), Outcome::kWon);
  EXPECT_EQ(Answers("yyynn").Tally(joint), Outcome::kLost);
  EXPECT_EQ(Answers("nnyyy").Tally(joint), Outcome::kLost);
  EXPECT_EQ(Answers("y..y.yy").Tally(joint), Outcome::kPending) << "learners do not vote";
}

TEST(Votes, TheFirstAnswerCounts) {
  Votes votes;
  votes.Record(NodeId(1), Vote::kDenied);
  votes.Record(NodeId(1), Vote::kGranted);
  EXPECT_EQ(votes.Tally({.voters = FirstNodes(1), .outgoing = {}, .learners = {}}), Outcome::kLost);
}

TEST(Votes, ARepeatedAnswerIsOneVote) {
  Votes votes;
  for (int i = 0; i < 5; ++i) votes.Record(NodeId(1), Vote::kGranted);
  EXPECT_EQ(votes.Tally({.voters = FirstNodes(3), .outgoing = {}, .learners = {}}),
            Outcome::kPending);
}

TEST(Votes, StrangersDoNotCount) {
  Votes votes;
  votes.Record(NodeId(8), Vote::kGranted);
  votes.Record(NodeId(9), Vote::kGranted);
  EXPECT_EQ(votes.Tally({.voters = FirstNodes(3), .outgoing = {}, .learners = {}}),
            Outcome::kPending);
}

}  // namespace
}  // namespace pontoon::raft
