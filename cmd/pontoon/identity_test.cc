#include "cmd/pontoon/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "cmd/pontoon/checked_text.h"

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
  const Identity identity = MakeFounder("default", cluster, 7);
  EXPECT_EQ(FormatId(identity.member.value()), "8e9e05c52164694d");
  EXPECT_EQ(FormatId(identity.cluster.value()), "cdf818194e3a8c32");
}

TEST(Identity, MembersAgreeOnTheClusterWhateverTheOrder) {
  InitialCluster reversed = ThreeMembers();
  std::swap(reversed.members[0], reversed.members[2]);
  const Identity a = MakeFounder("a", ThreeMembers(), 7);
  const Identity b = MakeFounder("b", reversed, 8);
  EXPECT_EQ(a.cluster, b.cluster);
  EXPECT_EQ(a.first_members, b.first_members);
  EXPECT_NE(a.member, b.member);
}

TEST(Identity, TheTokenKeepsClustersApart) {
  InitialCluster west = ThreeMembers();
  west.token = "west";
  EXPECT_NE(MakeFounder("a", west, 7).cluster, MakeFounder("a", ThreeMembers(), 7).cluster);
  EXPECT_NE(MakeFounder("a", west, 7).member, MakeFounder("a", ThreeMembers(), 7).member);
}

TEST(Identity, SurvivesTheFile) {
  const Identity identity = MakeFounder("b", ThreeMembers(), 7);
  const auto read = ParseIdentity(FormatIdentity(identity));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, identity);
}

TEST(Identity, TheFileIsForTheOperatorsEyesToo) {
  const std::string text = FormatIdentity(MakeFounder("b", ThreeMembers(), 7));
  EXPECT_THAT(text, testing::MatchesRegex("pontoon-identity 3\n"
                                          "cluster [0-9a-f]{16}\n"
                                          "member [0-9a-f]{16} b\n"
                                          "incarnation 0000000000000007\n"
                                          "token east\n"
                                          "(founder [0-9a-f]{16} [abc] http://[abc]:2380\n){3}"
                                          "checksum [0-9a-f]{8}\n"));
}

// Its cluster's id does not follow from whom it met there, some of whom may have no name yet.
Identity Joiner() {
  Identity identity;
  identity.cluster = ClusterId{0xc1};
  identity.member = NodeId{0xa4};
  identity.name = "d";
  identity.token = "east";
  identity.origin = Origin::kJoiner;
  identity.incarnation = 9;
  identity.first_members = {{NodeId{0xa2}, "b", Url{"b", 2380}},
                            {NodeId{0xa4}, "d", Url{"d", 2380}},
                            {NodeId{0xa5}, "", Url{"e", 2380}}};
  identity.known_at = LogIndex{17};
  return identity;
}

TEST(Identity, OfAJoinerSurvivesTheFile) {
  const std::string text = FormatIdentity(Joiner());
  EXPECT_THAT(text, testing::HasSubstr("\nknown-at 17\nknown 00000000000000a2 b http://b:2380\n"));
  const auto read = ParseIdentity(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, Joiner());
}

TEST(Identity, AFounderIsToldFromAJoiner) {
  Identity identity = Joiner();
  identity.origin = Origin::kFounder;
  EXPECT_FALSE(ParseIdentity(FormatIdentity(identity)).ok()) << "founders make the cluster's id";
  identity = Joiner();
  identity.first_members.erase(identity.first_members.begin() + 1);
  EXPECT_FALSE(ParseIdentity(FormatIdentity(identity)).ok()) << "it is not among the members";
}

// The file of `identity`, but for `replacements`.
std::string Changed(const Identity& identity,
                    const std::vector<std::pair<std::string, std::string>>& replacements) {
  const std::string text = FormatIdentity(identity);
  return WithChecksum(absl::StrReplaceAll(text.substr(0, text.rfind("checksum ")), replacements));
}

TEST(Identity, TheFormatWithoutIncarnationsIsStillRead) {
  const Identity identity = MakeFounder("b", ThreeMembers(), 0);
  const auto read = ParseIdentity(Changed(identity, {{"pontoon-identity 3", "pontoon-identity 1"},
                                                     {"incarnation 0000000000000000\n", ""}}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, identity);
}

TEST(Identity, TheFormatThatDoesNotSayHowOldItsNewsIsIsStillRead) {
  Identity identity = Joiner();
  const auto read = ParseIdentity(
      Changed(identity, {{"pontoon-identity 3", "pontoon-identity 2"}, {"known-at 17\n", ""}}));
  ASSERT_TRUE(read.ok()) << read.status();
  identity.known_at = LogIndex();
  EXPECT_EQ(*read, identity);
}

TEST(Identity, EveryDamagedByteIsNoticed) {
  const std::string text = FormatIdentity(MakeFounder("b", ThreeMembers(), 7));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] ^= 1;
    EXPECT_FALSE(ParseIdentity(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(ParseIdentity(text.substr(0, i)).ok()) << "cut at " << i;
  }
}

TEST(Identity, ANewerFormatIsNotDamage) {
  EXPECT_EQ(ParseIdentity("pontoon-identity 4\n{}\n").status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace pontoon
