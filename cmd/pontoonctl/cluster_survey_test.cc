#include "cmd/pontoonctl/cluster_survey.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

using etcdserverpb::Member;
using etcdserverpb::StatusResponse;

Member MemberOf(uint64_t id, const std::string& name, const std::string& client_url) {
  Member member;
  member.set_id(id);
  member.set_name(name);
  if (!client_url.empty()) member.add_clienturls(client_url);
  return member;
}

struct Answer {
  uint64_t member_id;
  uint64_t leader = 0;
  uint64_t term = 5;
  uint64_t raft_index = 0;
  uint64_t applied = 0;
};

EndpointStatus Answered(const std::string& endpoint, const Answer& answer) {
  StatusResponse response;
  response.mutable_header()->set_member_id(answer.member_id);
  response.set_leader(answer.leader);
  response.set_raftterm(answer.term);
  response.set_raftindex(answer.raft_index);
  response.set_raftappliedindex(answer.applied);
  return {*Endpoint::Parse(endpoint), response};
}

EndpointStatus Silent(const std::string& endpoint) {
  return {*Endpoint::Parse(endpoint), absl::UnavailableError("refused")};
}

// "endpoint name: reached" or its error, for each line.
std::vector<std::string> Lines(const ClusterSurvey& survey) {
  std::vector<std::string> lines;
  for (const MemberStatus& member : survey.members) {
    lines.push_back(absl::StrCat(member.endpoint, " ", member.name, ": ",
                                 member.response.has_value() ? "reached" : member.error));
  }
  return lines;
}

using Strings = std::vector<std::string>;

TEST(ClusterSurvey, EveryMemberHasALine) {
  const ClusterSurvey survey = CombineSurvey(
      {MemberOf(1, "one", "http://a:1"), MemberOf(2, "two", "http://b:1"), MemberOf(3, "", "")},
      {Answered("a:1", {.member_id = 1, .leader = 1}), Silent("b:1")});
  EXPECT_EQ(Lines(survey),
            (Strings{"a:1 one: reached", "b:1 two: refused", "- : not started yet"}));
  EXPECT_FALSE(survey.AllAnswered());
}

TEST(ClusterSurvey, MembersAreSortedByName) {
  const ClusterSurvey survey =
      CombineSurvey({MemberOf(1, "node3", "http://c:1"), MemberOf(2, "", ""),
                     MemberOf(3, "node1", "http://a:1"), MemberOf(4, "node2", "http://b:1")},
                    {Silent("stray:1"), Silent("a:1"), Silent("b:1"), Silent("c:1")});
  EXPECT_EQ(Lines(survey),
            (Strings{"a:1 node1: refused", "b:1 node2: refused", "c:1 node3: refused",
                     "- : not started yet", "stray:1 -: refused"}));
}

TEST(ClusterSurvey, AMemberIsKnownByItsAnswerWhereverItCameFrom) {
  const ClusterSurvey survey = CombineSurvey(
      {MemberOf(1, "one", "http://node1:2379")},
      {Answered("localhost:12379", {.member_id = 1, .leader = 1}), Silent("node1:2379")});
  EXPECT_EQ(Lines(survey), (Strings{"localhost:12379 one: reached"}));
  EXPECT_TRUE(survey.AllAnswered());
}

TEST(ClusterSurvey, EndpointsOfNoMemberComeLast) {
  const ClusterSurvey survey = CombineSurvey({MemberOf(1, "one", "http://a:1")},
                                             {Silent("typo:1"), Answered("a:1", {.member_id = 1}),
                                              Answered("removed:1", {.member_id = 9})});
  EXPECT_EQ(Lines(survey),
            (Strings{"a:1 one: reached", "typo:1 -: refused", "removed:1 -: reached"}));
}

TEST(ClusterSurvey, SaysWhyAMemberCannotBeAsked) {
  const ClusterSurvey survey =
      CombineSurvey({MemberOf(1, "one", "https://a:1"), MemberOf(2, "two", "http://b:1")},
                    {Answered("b:1", {.member_id = 7})});
  EXPECT_EQ(Lines(survey),
            (Strings{"https://a:1 one: has no client URL that can be used",
                     "b:1 two: another member answers at its address", "b:1 -: reached"}));
}

TEST(ClusterSurvey, WithoutAMemberListTheEndpointsAreShown) {
  EXPECT_EQ(Lines(CombineSurvey({}, {Silent("a:1"), Silent("b:1")})),
            (Strings{"a:1 -: refused", "b:1 -: refused"}));
}

TEST(ClusterSurvey, TheLeaderIsWhoSaysSoInTheLatestTerm) {
  const std::vector<Member> members = {MemberOf(1, "one", "http://a:1"),
                                       MemberOf(2, "two", "http://b:1")};
  const auto leader_of = [&](const Answer& one, const Answer& two) -> uint64_t {
    const ClusterSurvey survey =
        CombineSurvey(members, {Answered("a:1", one), Answered("b:1", two)});
    return survey.Leader() == nullptr ? 0 : *survey.Leader()->member_id;
  };
  EXPECT_EQ(leader_of({.member_id = 1, .leader = 2}, {.member_id = 2, .leader = 2}), 2u);
  EXPECT_EQ(leader_of({.member_id = 1, .leader = 1, .term = 4}, {.member_id = 2, .leader = 2}), 2u);
  EXPECT_EQ(leader_of({.member_id = 1, .leader = 0}, {.member_id = 2, .leader = 0}), 0u);
  EXPECT_EQ(leader_of({.member_id = 1, .leader = 3}, {.member_id = 2, .leader = 3}), 0u);
}

TEST(ClusterSurvey, TheLagIsWhatTheLeaderHasCommittedAndAMemberNotApplied) {
  EndpointStatus leader =
      Answered("a:1", {.member_id = 1, .leader = 1, .raft_index = 100, .applied = 99});
  auto* follower = leader.response->add_followers();
  follower->set_member_id(3);
  follower->set_match_index(100);
  const ClusterSurvey survey = CombineSurvey(
      {MemberOf(1, "a", "http://a:1"), MemberOf(2, "b", "http://b:1"),
       MemberOf(3, "c", "http://c:1"), MemberOf(4, "d", "http://d:1")},
      {leader, Answered("b:1", {.member_id = 2, .leader = 1, .applied = 70}), Silent("c:1"),
       Answered("d:1", {.member_id = 4, .leader = 1, .applied = 101})});
  EXPECT_EQ(survey.LagEntries(survey.members[0]), 1u);
  EXPECT_EQ(survey.LagEntries(survey.members[1]), 30u);
  EXPECT_EQ(survey.LagEntries(survey.members[2]), std::nullopt) << "whatever its leader knew of it";
  EXPECT_EQ(survey.LagEntries(survey.members[3]), 0u) << "it answered a little later";
}

TEST(ClusterSurvey, WithoutALeaderNobodyLags) {
  const ClusterSurvey survey = CombineSurvey({MemberOf(1, "one", "http://a:1")},
                                             {Answered("a:1", {.member_id = 1, .applied = 5})});
  EXPECT_EQ(survey.LagEntries(survey.members[0]), std::nullopt);
}

}  // namespace
}  // namespace pontoon::ctl
