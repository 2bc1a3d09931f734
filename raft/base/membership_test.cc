#include "raft/base/membership.h"

#include <gtest/gtest.h>

#include "raft/base/membership_change.h"
#include "raft/base/membership_history.h"

namespace pontoon {
namespace {

using Kind = MembershipChange::Kind;

std::vector<NodeId> Nodes(std::initializer_list<uint64_t> ids) {
  std::vector<NodeId> nodes;
  for (const uint64_t id : ids) nodes.push_back(NodeId(id));
  return nodes;
}

Membership Voters(std::initializer_list<uint64_t> ids) { return {.voters = Nodes(ids)}; }

// ---- Membership

TEST(Membership, AJointConfigurationCountsBothSides) {
  const Membership joint{
      .voters = Nodes({1, 2}), .outgoing = Nodes({2, 3}), .learners = Nodes({4})};
  EXPECT_TRUE(joint.IsVoter(NodeId(1)));
  EXPECT_TRUE(joint.IsVoter(NodeId(3)));
  EXPECT_FALSE(joint.IsVoter(NodeId(4)));
  EXPECT_FALSE(joint.IsOnlyVoter(NodeId(1)));
  EXPECT_TRUE(joint.IsLasting(NodeId(4)));
  EXPECT_FALSE(joint.IsLasting(NodeId(3)));
  EXPECT_EQ(joint.AllNodes(), Nodes({1, 2, 3, 4}));
  EXPECT_EQ(joint.AllVoters(), Nodes({1, 2, 3}));
}

TEST(Membership, TheOnlyVoterDecidesAlone) {
  Membership membership{.voters = Nodes({1}), .learners = Nodes({2})};
  EXPECT_TRUE(membership.IsOnlyVoter(NodeId(1)));
  EXPECT_FALSE(membership.IsOnlyVoter(NodeId(2)));
  membership.outgoing = Nodes({1});
  EXPECT_TRUE(membership.IsOnlyVoter(NodeId(1)));
  membership.outgoing = Nodes({1, 3});
  EXPECT_FALSE(membership.IsOnlyVoter(NodeId(1)));
  membership.outgoing.clear();
  membership.voters = Nodes({1, 3});
  EXPECT_FALSE(membership.IsOnlyVoter(NodeId(1)));
}

TEST(Membership, VotersAreExchangedByAJointConfiguration) {
  Membership before = Voters({1, 2, 3});
  before.peer_urls = {{NodeId(3), {"http://c:2380"}}};
  Membership target = Voters({1, 2, 4});
  target.peer_urls = {{NodeId(4), {"http://d:2380"}}};
  const Membership joint = before.TowardsTarget(target);
  EXPECT_EQ(joint.voters, target.voters);
  EXPECT_EQ(joint.outgoing, before.voters);
  EXPECT_EQ(joint.peer_urls.size(), 2u) << "who leaves must still be reached";
  EXPECT_EQ(joint.Target(), target);
}

TEST(Membership, NoJointConfigurationWhereTheSameNodesVote) {
  Membership target = Voters({1, 2});
  target.learners = Nodes({3});
  EXPECT_EQ(Voters({1, 2}).TowardsTarget(target), target);
  EXPECT_EQ(target.Target(), target);
}

TEST(Membership, BytesLeadBackToIt) {
  const Membership membership{
      .voters = Nodes({1, 5}),
      .outgoing = Nodes({1, 2}),
      .learners = Nodes({3, 4}),
      .joining = Nodes({4}),
      .peer_urls = {{NodeId(1), {"http://a:1", "http://b:2"}}, {NodeId(5), {}}}};
  const absl::StatusOr<Membership> decoded = DecodeMembership(EncodeMembership(membership));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, membership);
}

TEST(Membership, BytesThatMakeNoSenseAreRefused) {
  EXPECT_EQ(DecodeMembership("").status().code(), absl::StatusCode::kDataLoss) << "nobody votes";
  EXPECT_EQ(DecodeMembership("x").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(DecodeMembership(EncodeMembership(Voters({2, 1}))).ok()) << "not sorted";
  EXPECT_FALSE(DecodeMembership(EncodeMembership(Voters({1, 1}))).ok()) << "twice";
  EXPECT_FALSE(DecodeMembership(EncodeMembership(Voters({0, 1}))).ok()) << "nobody";
}

// ---- ApplyChanges

std::variant<Membership, ChangeRefusal> Apply(const Membership& current,
                                              std::vector<MembershipChange> changes) {
  return ApplyChanges(current, changes);
}

TEST(ApplyChanges, AddsLearnersThatWillVoteOrNot) {
  const auto after = Apply(Voters({1}), {{Kind::kAddLearner, NodeId(3), {"http://c"}},
                                         {Kind::kAddVoter, NodeId(2), {"http://b"}}});
  const Membership expected{.voters = Nodes({1}),
                            .learners = Nodes({2, 3}),
                            .joining = Nodes({2}),
                            .peer_urls = {{NodeId(2), {"http://b"}}, {NodeId(3), {"http://c"}}}};
  EXPECT_EQ(std::get<Membership>(after), expected);
}

TEST(ApplyChanges, PromotesDemotesRemovesAndMovesMembers) {
  Membership current = Voters({1, 2});
  current.learners = Nodes({3, 4});
  current.joining = Nodes({3});
  current.peer_urls = {{NodeId(2), {"http://b"}}, {NodeId(3), {"http://c"}}};
  const auto after = Apply(current, {{Kind::kPromote, NodeId(3)},
                                     {Kind::kDemote, NodeId(1)},
                                     {Kind::kRemove, NodeId(2)},
                                     {Kind::kUpdate, NodeId(3), {"http://new"}}});
  const Membership expected{
      .voters = Nodes({3}), .learners = Nodes({1, 4}), .peer_urls = {{NodeId(3), {"http://new"}}}};
  EXPECT_EQ(std::get<Membership>(after), expected);
}

TEST(ApplyChanges, ARemovedLearnerIsGoneFromAllLists) {
  Membership current = Voters({1});
  current.learners = current.joining = Nodes({2});
  EXPECT_EQ(std::get<Membership>(Apply(current, {{Kind::kRemove, NodeId(2)}})), Voters({1}));
}

TEST(ApplyChanges, RefusesWhatMakesNoSense) {
  Membership current = Voters({1, 2});
  current.learners = Nodes({3});
  current.peer_urls = {{NodeId(1), {"http://a", "http://a2"}}};
  const struct {
    MembershipChange change;
    ChangeRefusal refusal;
  } kCases[] = {
      {{Kind::kAddLearner, NodeId(1)}, ChangeRefusal::kAlreadyMember},
      {{Kind::kAddVoter, NodeId(3)}, ChangeRefusal::kAlreadyMember},
      {{Kind::kPromote, NodeId(9)}, ChangeRefusal::kUnknownMember},
      {{Kind::kDemote, NodeId(9)}, ChangeRefusal::kUnknownMember},
      {{Kind::kRemove, NodeId(9)}, ChangeRefusal::kUnknownMember},
      {{Kind::kUpdate, NodeId(9)}, ChangeRefusal::kUnknownMember},
      {{Kind::kPromote, NodeId(2)}, ChangeRefusal::kNotLearner},
      {{Kind::kDemote, NodeId(3)}, ChangeRefusal::kNotVoter},
      {{Kind::kAddLearner, NodeId(4), {"http://x", "http://a2"}}, ChangeRefusal::kAddressTaken},
      {{Kind::kUpdate, NodeId(2), {"http://a"}}, ChangeRefusal::kAddressTaken},
      {{static_cast<Kind>(77), NodeId(1)}, ChangeRefusal::kUnknownMember},
  };
  for (const auto& c : kCases) {
    const auto after = Apply(current, {c.change});
    ASSERT_TRUE(std::holds_alternative<ChangeRefusal>(after)) << static_cast<int>(c.change.kind);
    EXPECT_EQ(std::get<ChangeRefusal>(after), c.refusal) << static_cast<int>(c.change.kind);
  }
  EXPECT_EQ(std::get<ChangeRefusal>(Apply(Voters({1}), {{Kind::kRemove, NodeId(1)}})),
            ChangeRefusal::kNoVoterLeft);
}

TEST(ApplyChanges, ALearnerMayBeOneTooMany) {
  Membership current = Voters({1});
  current.learners = Nodes({2, 3});
  current.joining = Nodes({2});
  current.peer_urls = {{NodeId(3), {"http://c"}}};
  const auto add = [&](std::optional<uint32_t> learners_max) {
    return Apply(current, {{Kind::kAddLearner, NodeId(4), {"http://d"}, learners_max}});
  };
  EXPECT_EQ(std::get<ChangeRefusal>(add(0)), ChangeRefusal::kTooManyLearners);
  EXPECT_EQ(std::get<ChangeRefusal>(add(1)), ChangeRefusal::kTooManyLearners);
  EXPECT_EQ(std::get<Membership>(add(2)).learners, Nodes({2, 3, 4})) << "one of them joins to vote";
  EXPECT_EQ(std::get<Membership>(add(std::nullopt)).learners, Nodes({2, 3, 4}));
  EXPECT_EQ(std::get<ChangeRefusal>(
                Apply(current, {{Kind::kAddLearner, NodeId(4), {"http://c"}, /*learners_max=*/1}})),
            ChangeRefusal::kAddressTaken);
}

TEST(ApplyChanges, AMemberMayKeepItsOwnAddress) {
  Membership current = Voters({1});
  current.peer_urls = {{NodeId(1), {"http://a"}}};
  const auto after = Apply(current, {{Kind::kUpdate, NodeId(1), {"http://a", "http://b"}}});
  EXPECT_EQ(std::get<Membership>(after).peer_urls.at(NodeId(1)).size(), 2u);
}

// ---- MembershipHistory

MembershipHistory::Item Item(uint64_t index, std::initializer_list<uint64_t> voters) {
  return {.index = LogIndex(index), .request = {}, .membership = Voters(voters)};
}

MembershipHistory Three() {
  MembershipHistory history(Item(0, {1}));
  history.Append(Item(4, {1, 2}));
  history.Append(Item(7, {2}));
  return history;
}

TEST(MembershipHistory, KnowsWhatIsInEffectWhere) {
  const MembershipHistory history = Three();
  EXPECT_EQ(history.latest(), Item(7, {2}));
  EXPECT_EQ(history.At(LogIndex(0)), Item(0, {1}));
  EXPECT_EQ(history.At(LogIndex(3)), Item(0, {1}));
  EXPECT_EQ(history.At(LogIndex(4)), Item(4, {1, 2}));
  EXPECT_EQ(history.At(LogIndex(6)), Item(4, {1, 2}));
  EXPECT_EQ(history.At(LogIndex(100)), Item(7, {2}));
}

TEST(MembershipHistory, TakesBackWhatIsTruncated) {
  MembershipHistory history = Three();
  EXPECT_FALSE(history.TruncateFrom(LogIndex(8)));
  EXPECT_EQ(history.latest(), Item(7, {2}));
  EXPECT_TRUE(history.TruncateFrom(LogIndex(7)));
  EXPECT_EQ(history.latest(), Item(4, {1, 2}));
  EXPECT_TRUE(history.TruncateFrom(LogIndex(1)));
  EXPECT_EQ(history.latest(), Item(0, {1}));
}

TEST(MembershipHistory, KeepsTheOneInEffectAtTheLogsBeginning) {
  MembershipHistory history = Three();
  history.DropUpTo(LogIndex(3));
  EXPECT_EQ(history.items().size(), 3u);
  history.DropUpTo(LogIndex(5));
  EXPECT_EQ(history.items().front(), Item(4, {1, 2}));
  history.DropUpTo(LogIndex(9));
  EXPECT_EQ(history.items().size(), 1u);
  EXPECT_EQ(history.latest(), Item(7, {2}));
}

TEST(MembershipHistory, IsForgottenWithTheLog) {
  MembershipHistory history = Three();
  history.ResetTo(Item(20, {5}));
  EXPECT_EQ(history.At(LogIndex(1)), Item(20, {5}));
}

TEST(MembershipHistoryDeathTest, ACommittedConfigurationIsNotTakenBack) {
  MembershipHistory history = Three();
  history.DropUpTo(LogIndex(5));
  EXPECT_DEATH(history.TruncateFrom(LogIndex(4)), "committed");
}

}  // namespace
}  // namespace pontoon
