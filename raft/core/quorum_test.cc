#include "raft/core/quorum.h"

#include <gtest/gtest.h>

#include <map>

namespace pontoon::raft {
namespace {

using Values = std::map<NodeId, int>;

std::vector<NodeId> Nodes(const Values& values) {
  std::vector<NodeId> nodes;
  for (const auto& [node, value] : values) nodes.push_back(node);
  return nodes;
}

// Values of the nodes 1, 2, 3, ...
Values Of(const std::vector<int>& in_order) {
  Values values;
  for (size_t i = 0; i < in_order.size(); ++i) values[NodeId(i + 1)] = in_order[i];
  return values;
}

int Majority(const Values& values) {
  return MajorityValue(Nodes(values), [&](NodeId node) { return values.at(node); });
}

TEST(MajorityValue, IsWhatMoreThanHalfHaveReached) {
  const struct {
    std::vector<int> values;
    int reached;
  } kCases[] = {
      {{7}, 7},
      {{7, 9}, 7},
      {{9, 7}, 7},
      {{1, 2, 3}, 2},
      {{3, 3, 0}, 3},
      {{5, 0, 0}, 0},
      {{1, 2, 3, 4}, 2},
      {{4, 4, 4, 1}, 4},
      {{4, 4, 1, 1}, 1},
      {{1, 2, 3, 4, 5}, 3},
      {{9, 9, 0, 0, 9}, 9},
      {{1, 2, 3, 4, 5, 6}, 3},
      {{6, 5, 4, 3, 2, 1, 0}, 3},
      {{8, 8, 8, 8, 0, 0, 0}, 8},
      {{8, 8, 8, 0, 0, 0, 0}, 0},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Majority(Of(c.values)), c.reached) << ::testing::PrintToString(c.values);
  }
}

// The definition, against all small cases: it is reached by a majority, and nothing greater is.
TEST(MajorityValue, AgreesWithItsDefinition) {
  for (size_t nodes = 1; nodes <= 7; ++nodes) {
    size_t combinations = 1;
    for (size_t i = 0; i < nodes; ++i) combinations *= 3;
    for (size_t code = 0; code < combinations; ++code) {
      std::vector<int> values;
      for (size_t i = 0, rest = code; i < nodes; ++i, rest /= 3) values.push_back(rest % 3);
      const auto reached_by = [&](int value) {
        return static_cast<size_t>(
            std::count_if(values.begin(), values.end(), [&](int v) { return v >= value; }));
      };
      const int majority = Majority(Of(values));
      ASSERT_GT(2 * reached_by(majority), nodes) << ::testing::PrintToString(values);
      ASSERT_LE(2 * reached_by(majority + 1), nodes) << ::testing::PrintToString(values);
    }
  }
}

TEST(QuorumValue, AJointConfigurationNeedsBothMajorities) {
  const Values values = Of({9, 9, 1, 4, 4});
  const auto value = [&](NodeId node) { return values.at(node); };
  const Membership before{
      .voters = {NodeId(1), NodeId(2), NodeId(3)}, .outgoing = {}, .learners = {}};
  EXPECT_EQ(QuorumValue(before, value), 9);
  const Membership joint{.voters = {NodeId(3), NodeId(4), NodeId(5)},
                         .outgoing = {NodeId(1), NodeId(2), NodeId(3)},
                         .learners = {}};
  EXPECT_EQ(QuorumValue(joint, value), 4);
  const Membership back{.voters = {NodeId(1), NodeId(2), NodeId(3)},
                        .outgoing = {NodeId(3), NodeId(4), NodeId(5)},
                        .learners = {}};
  EXPECT_EQ(QuorumValue(back, value), 4);
}

TEST(QuorumValue, LearnersDoNotCount) {
  const Values values = Of({1, 1, 9, 9, 9});
  const Membership membership{.voters = {NodeId(1), NodeId(2)},
                              .outgoing = {},
                              .learners = {NodeId(3), NodeId(4), NodeId(5)}};
  EXPECT_EQ(QuorumValue(membership, [&](NodeId node) { return values.at(node); }), 1);
}

TEST(QuorumDeathTest, NobodyIsNoMajority) {
  EXPECT_DEATH(MajorityValue({}, [](NodeId) { return 1; }), "voters.empty");
}

}  // namespace
}  // namespace pontoon::raft
