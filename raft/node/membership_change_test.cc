// Changes of membership in whole clusters, on threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "raft/node/testing/cluster_fixture.h"

namespace pontoon::raft {
namespace {

using ::testing::ElementsAre;
using Kind = MembershipChange::Kind;

constexpr NodeId kJoiner{4};

bool IsMade(const ChangeOutcome& outcome) { return std::holds_alternative<ChangeMade>(outcome); }

bool IsRefused(const ChangeOutcome& outcome, ChangeRefusal why) {
  const auto* refusal = std::get_if<ChangeRefusal>(&outcome);
  return refusal != nullptr && *refusal == why;
}

bool IsForward(const Message& message) {
  return std::holds_alternative<ForwardChange>(message.body);
}

class MembershipChangeTest : public ClusterTest {
 protected:
  static MembershipChange Add(NodeId id) { return {Kind::kAddLearner, id, UrlOf(id).second}; }

  // Once it keeps up.
  ChangeOutcome Promote(NodeId ask, NodeId learner) {
    for (;;) {
      const ChangeOutcome outcome = Change(ask, {{Kind::kPromote, learner}});
      if (!IsRefused(outcome, ChangeRefusal::kLearnerBehind)) return outcome;
    }
  }
  // Asks `id`, and does not wait for the answer.
  void BeginChange(NodeId id, MembershipChange change) {
    node(id).ChangeMembership({std::move(change)}, Deadline(), [this](ChangeOutcome outcome) {
      outcome_ = outcome;
      answered_.Happen();
    });
  }

  // `gone` learns of it, and those who stay go on without it.
  void ExpectRemoved(NodeId gone, const std::vector<NodeId>& stay) {
    EXPECT_TRUE(members_[gone].removed.Await(kPatience));
    for (const NodeId id : stay) {
      EXPECT_TRUE(std::holds_alternative<Applied>(Propose(id, "after")));
      EXPECT_NE(AwaitLeader(id), gone);
      EXPECT_EQ(node(id).Status().membership.voters, stay);
    }
  }

  ChangeOutcome outcome_;
  Event answered_;
};

TEST_F(MembershipChangeTest, ANodeJoinsIsPromotedAndRemovedThroughAFollower) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId follower = Others(leader)[0];
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(leader, "before")));
  AwaitPeers(follower, {kIds[0], kIds[1], kIds[2]});
  StartMember(kJoiner);

  ASSERT_TRUE(IsMade(Change(follower, {Add(kJoiner)})));
  AwaitPeers(follower, {kIds[0], kIds[1], kIds[2], kJoiner});
  ASSERT_TRUE(Read(kJoiner).ok());
  EXPECT_THAT(commands(kJoiner), ElementsAre("before"));
  EXPECT_THAT(node(follower).Status().membership.learners, ElementsAre(kJoiner));
  EXPECT_TRUE(node(kJoiner).IsLearner());
  EXPECT_FALSE(node(follower).IsLearner());

  ASSERT_TRUE(IsMade(Promote(follower, kJoiner)));
  EXPECT_THAT(node(follower).Status().membership.voters,
              ElementsAre(kIds[0], kIds[1], kIds[2], kJoiner));
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(kJoiner, "by the new one")));
  EXPECT_FALSE(node(kJoiner).IsLearner());

  ASSERT_TRUE(IsMade(Change(follower, {{Kind::kRemove, kJoiner}})));
  EXPECT_TRUE(members_[kJoiner].removed.Await(kPatience));
  AwaitPeers(follower, {kIds[0], kIds[1], kIds[2]});
}

TEST_F(MembershipChangeTest, WhoIsToldOfAChangeFindsItInTheStatus) {
  const NodeId leader = AwaitLeader(NodeId(1));
  for (int i = 0; i < 200; ++i) {
    const std::vector<std::string> urls = {"http://elsewhere:" + std::to_string(i + 1)};
    bool found = false;
    Event answered;
    node(leader).ChangeMembership(
        {{Kind::kUpdate, leader, urls}}, Deadline(), [&](ChangeOutcome outcome) {
          const Membership membership = node(leader).Status().membership;
          found = IsMade(outcome) && membership.peer_urls.at(leader) == urls;
          answered.Happen();
        });
    ASSERT_TRUE(answered.Await(kPatience));
    ASSERT_TRUE(found) << "change " << i;
  }
}

TEST_F(MembershipChangeTest, WhatMakesNoSenseIsRefusedWhereverItIsAskedFor) {
  for (const NodeId id : kIds) {
    EXPECT_TRUE(IsRefused(Change(id, {{Kind::kRemove, NodeId(9)}}), ChangeRefusal::kUnknownMember));
    EXPECT_TRUE(IsRefused(Change(id, {{Kind::kPromote, id}}), ChangeRefusal::kNotLearner));
  }
}

TEST_F(MembershipChangeTest, WithoutALeaderAChangeIsRefusedAtItsDeadline) {
  for (const NodeId id : Others(NodeId(1))) StopMember(id);
  Event answered;
  ChangeOutcome outcome;
  node(NodeId(1)).ChangeMembership({{Kind::kRemove, NodeId(2)}},
                                   Clock::System()->Now() + absl::Seconds(1),
                                   [&](ChangeOutcome given) {
                                     outcome = given;
                                     answered.Happen();
                                   });
  ASSERT_TRUE(answered.Await(kPatience));
  EXPECT_FALSE(IsMade(outcome));
}

TEST_F(MembershipChangeTest, TwoAtOnceAreMadeOneAfterTheOther) {
  const NodeId leader = AwaitLeader(NodeId(1));
  BeginChange(Others(leader)[0], Add(NodeId(8)));
  EXPECT_TRUE(IsMade(Change(Others(leader)[1], {Add(NodeId(9))})));
  ASSERT_TRUE(answered_.Await(kPatience));
  EXPECT_TRUE(IsMade(outcome_));
  ASSERT_TRUE(Read(leader).ok());
  EXPECT_THAT(node(leader).Status().membership.learners, ElementsAre(NodeId(8), NodeId(9)));
}

TEST_F(MembershipChangeTest, ALeaderThatAFollowerRemovesHandsOver) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> stay = Others(leader);
  ASSERT_TRUE(IsMade(Change(stay[0], {{Kind::kRemove, leader}})));
  ExpectRemoved(leader, stay);
}

TEST_F(MembershipChangeTest, ALeaderThatRemovesItselfHandsOver) {
  const NodeId leader = AwaitLeader(NodeId(1));
  ASSERT_TRUE(IsMade(Change(leader, {{Kind::kRemove, leader}})));
  ExpectRemoved(leader, Others(leader));
}

// The attempt is lost, and its term over: it is known to be dead, and another one is made.
TEST_F(MembershipChangeTest, AChangeSurvivesTheLeaderThatItWasSentTo) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId asked = Others(leader)[0];
  Event sent;
  network_.Lose([&](const Message& message) {
    if (!IsForward(message)) return false;
    sent.Happen();
    return message.to == leader;
  });
  BeginChange(asked, Add(kJoiner));
  ASSERT_TRUE(sent.Await(kPatience));
  StopMember(leader);
  ASSERT_TRUE(answered_.Await(kPatience));
  EXPECT_TRUE(IsMade(outcome_));
  network_.Lose(nullptr);
}

TEST_F(MembershipChangeTest, AForwardedChangeThatIsLostIsForwardedAgain) {
  const NodeId leader = AwaitLeader(NodeId(1));
  std::atomic<int> sent = 0;
  network_.Lose([&](const Message& message) { return IsForward(message) && ++sent == 1; });
  EXPECT_TRUE(IsMade(Change(Others(leader)[0], {Add(kJoiner)})));
  EXPECT_EQ(sent, 2);
  network_.Lose(nullptr);
}

TEST_F(MembershipChangeTest, StoppingAnswersWhoWaitsForAChange) {
  const NodeId leader = AwaitLeader(NodeId(1));
  Event sent;
  network_.Lose([&](const Message& message) {
    if (IsForward(message)) sent.Happen();
    return IsForward(message);
  });
  BeginChange(Others(leader)[0], Add(kJoiner));
  ASSERT_TRUE(sent.Await(kPatience));
  StopMember(Others(leader)[0]);
  ASSERT_TRUE(answered_.Await(kPatience));
  EXPECT_TRUE(std::holds_alternative<ChangeUnknown>(outcome_));
  network_.Lose(nullptr);
}

// A joint configuration is in every log, and committed nowhere, when all of them stop.
TEST_F(MembershipChangeTest, ARestartInAJointConfigurationGoesOnWithIt) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId stays = Others(leader)[0];
  const NodeId goes = Others(leader)[1];
  Event in_all_logs;
  LogIndex joint;
  std::set<NodeId> have;
  network_.Lose([&](const Message& message) {
    if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
      for (const Entry& entry : append->entries) {
        if (entry.kind == EntryKind::kMembership) joint = entry.index;
      }
    }
    const auto* accepted = std::get_if<AppendAccepted>(&message.body);
    if (accepted == nullptr || joint == LogIndex() || accepted->match < joint) return false;
    have.insert(message.from);
    if (have.size() == 2) in_all_logs.Happen();
    return true;
  });
  BeginChange(leader, {Kind::kRemove, goes});
  ASSERT_TRUE(in_all_logs.Await(kPatience));
  for (const NodeId id : kIds) StopMember(id);
  network_.Lose(nullptr);
  ASSERT_TRUE(answered_.Await(kPatience));
  EXPECT_TRUE(std::holds_alternative<ChangeUnknown>(outcome_));
  for (const NodeId id : {stays, goes}) {
    const RestoredState restored = RestoredFrom(members_[id].log, Founding());
    EXPECT_TRUE(restored.memberships.latest().membership.IsJoint()) << id;
  }

  for (const NodeId id : kIds) StartMember(id);
  AwaitPeers(stays, {std::min(leader, stays), std::max(leader, stays)});
  EXPECT_TRUE(members_[goes].removed.Await(kPatience));
  EXPECT_FALSE(node(stays).Status().membership.IsJoint());
}

// What the log says of the members is gone from it, and comes with the state.
TEST_F(ShortLogTest, WhoJoinsByASnapshotKnowsTheMembers) {
  const NodeId leader = AwaitLeader(NodeId(1));
  ASSERT_TRUE(IsMade(Change(leader, {{Kind::kAddLearner, kJoiner, UrlOf(kJoiner).second}})));
  WriteUntilDropped(node(leader).Status().last_index, leader, {leader});
  for (int life = 0; life < 2; ++life) {
    StartMember(kJoiner);
    ASSERT_TRUE(Read(kJoiner).ok());
    AwaitPeers(kJoiner, {kIds[0], kIds[1], kIds[2], kJoiner});
    EXPECT_THAT(node(kJoiner).Status().membership.learners, ElementsAre(kJoiner));
    // What is applied after the snapshot is in the log that was reset for it.
    ASSERT_TRUE(std::holds_alternative<Applied>(Propose(leader, "after it")));
    ASSERT_TRUE(Read(kJoiner).ok());
    EXPECT_GT(members_[kJoiner].log.base().index, LogIndex());
    StopMember(kJoiner);
  }
}

}  // namespace
}  // namespace pontoon::raft
