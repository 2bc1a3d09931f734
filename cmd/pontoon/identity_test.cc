#include "cmd/pontoon/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pontoon {
namespace {

InitialCluster ThreeMembers() {
  InitialCluster cluster;
  cluster.members = {{"a", Url{"a", 2380}}, {"b", Url{"b", 2380}}, {"c", Url{"c", 2380}}};
  cluster.token = "east";
  return cluster;
}

// The ids that every etcd prints which is started without flags.
TEST(Identity, IdsAreEtcds) {
  InitialCluster cluster;
  cluster.members = {{"default", Url{"localhost", 2380}}};
  cluster.token = "etcd-cluster";
  const Identity identity = MakeIdentity("default", cluster);
  EXPECT_EQ(FormatId(identity.member.value()), "8e9e05c52164694d");
  EXPECT_EQ(FormatId(identity.cluster.value()), "cdf818194e3a8c32");
}

TEST(Identity, MembersAgreeOnTheClusterWhateverTheOrder) {
  InitialCluster reversed = ThreeMembers();
  std::swap(reversed.members[0], reversed.members[2]);
  const Identity a = MakeIdentity("a", ThreeMembers());
  const Identity b = MakeIdentity("b", reversed);
  EXPECT_EQ(a.cluster, b.cluster);
  EXPECT_EQ(a.founders, b.founders);
  EXPECT_NE(a.member, b.member);
}

TEST(Identity, TheTokenKeepsClustersApart) {
  InitialCluster west = ThreeMembers();
  west.token = "west";
  EXPECT_NE(MakeIdentity("a", west).cluster, MakeIdentity("a", ThreeMembers()).cluster);
  EXPECT_NE(MakeIdentity("a", west).member, MakeIdentity("a", ThreeMembers()).member);
}

TEST(Identity, SurvivesTheFile) {
  const Identity identity = MakeIdentity("b", ThreeMembers());
  const auto read = ParseIdentity(FormatIdentity(identity));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, identity);
}

TEST(Identity, TheFileIsForTheOperatorsEyesToo) {
  const std::string text = FormatIdentity(MakeIdentity("b", ThreeMembers()));
  EXPECT_THAT(text, testing::MatchesRegex("pontoon-identity 1\n"
                                          "cluster [0-9a-f]{16}\n"
                                          "member [0-9a-f]{16} b\n"
                                          "token east\n"
                                          "(founder [0-9a-f]{16} [abc] http://[abc]:2380\n){3}"
                                          "checksum [0-9a-f]{8}\n"));
}

TEST(Identity, EveryDamagedByteIsNoticed) {
  const std::string text = FormatIdentity(MakeIdentity("b", ThreeMembers()));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] ^= 1;
    EXPECT_FALSE(ParseIdentity(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(ParseIdentity(text.substr(0, i)).ok()) << "cut at " << i;
  }
}

TEST(Identity, ANewerFormatIsNotDamage) {
  EXPECT_EQ(ParseIdentity("pontoon-identity 2\n{}\n").status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace pontoon
