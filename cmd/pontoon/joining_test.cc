#include "cmd/pontoon/joining.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pontoon {
namespace {

using testing::HasSubstr;

Config Joiner() {
  Config config;
  config.name = "d";
  config.initial_cluster.state = ClusterState::kExisting;
  config.initial_cluster.token = "pontoon-cluster";  // the default
  config.initial_cluster.members = {{"a", Url{"127.0.0.1", 1}}, {"d", Url{"d", 2380}}};
  return config;
}

raft::Introduction Introduced() {
  return {.cluster_id = 0xc1,
          .self = NodeId{0xa4},
          .token = "east",
          .members = {{NodeId{0xa5}, "", {"http://e:2380", "http://e2:2380"}, std::nullopt},
                      {NodeId{0xa4}, "", {"http://d:2380"}, std::nullopt},
                      {NodeId{0xa1}, "a", {"http://a:2380"}, 7}},
          .membership_index = LogIndex{17}};
}

TEST(Joining, TheClusterSaysWhoTheNewcomerIs) {
  const auto newcomer = NewcomerFrom(Joiner(), Introduced(), 9);
  ASSERT_TRUE(newcomer.ok()) << newcomer.status();
  const Identity& identity = newcomer->identity;
  EXPECT_EQ(identity.cluster, ClusterId{0xc1});
  EXPECT_EQ(identity.member, NodeId{0xa4});
  EXPECT_EQ(identity.name, "d");
  EXPECT_EQ(identity.token, "east");
  EXPECT_EQ(identity.origin, Origin::kJoiner);
  EXPECT_EQ(identity.incarnation, 9u);
  EXPECT_EQ(identity.known_at, LogIndex{17});
  EXPECT_THAT(identity.first_members,
              testing::ElementsAre(KnownMember{NodeId{0xa1}, "a", Url{"a", 2380}},
                                   KnownMember{NodeId{0xa4}, "d", Url{"d", 2380}},
                                   KnownMember{NodeId{0xa5}, "", Url{"e", 2380}}));
  EXPECT_EQ(newcomer->peers, (Incarnations{{NodeId{0xa1}, 7}}));
  EXPECT_TRUE(ParseIdentity(FormatIdentity(identity)).ok());
}

TEST(Joining, ATokenThatWasGivenMustFit) {
  Config config = Joiner();
  config.initial_cluster.token_given = true;
  const auto refused = NewcomerFrom(config, Introduced(), 9);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("it has the token east, not pontoon-cluster"));
  config.initial_cluster.token = "east";
  EXPECT_TRUE(NewcomerFrom(config, Introduced(), 9).ok());
}

TEST(Joining, SomebodyMustBeThereToAsk) {
  Config config = Joiner();
  config.initial_cluster.members.erase(config.initial_cluster.members.begin());
  EXPECT_THAT(std::string(MakeNewcomer(config).status().message()),
              HasSubstr("--initial-cluster names nobody to ask"));
}

TEST(Joining, AFounderAsksNobodyAndDrawsAnIncarnation) {
  Config config = Joiner();
  config.initial_cluster.state = ClusterState::kNew;
  const auto once = MakeNewcomer(config);
  const auto again = MakeNewcomer(config);
  ASSERT_TRUE(once.ok() && again.ok());
  EXPECT_EQ(once->identity.origin, Origin::kFounder);
  EXPECT_EQ(once->identity.member, again->identity.member);
  EXPECT_NE(once->identity.incarnation, again->identity.incarnation);
}

}  // namespace
}  // namespace pontoon
