#include "cmd/pontoonctl/hash_survey.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

MemberHash Hash(int64_t compact_revision, uint32_t hash) {
  return {.endpoint = "a:1", .name = "a", .compact_revision = compact_revision, .hash = hash};
}

const MemberHash kSilent{.endpoint = "b:1", .name = "b", .error = "no answer"};

TEST(HashSurvey, ComparesWhatHasTheSameHistory) {
  EXPECT_EQ(Compare({Hash(5, 1), Hash(5, 1), Hash(5, 1)}), HashVerdict::kEqual);
  EXPECT_EQ(Compare({Hash(5, 1), Hash(5, 1), Hash(5, 2)}), HashVerdict::kDifferent);
  EXPECT_EQ(Compare({Hash(5, 1), Hash(6, 2)}), HashVerdict::kUnknown);
  EXPECT_EQ(Compare({Hash(5, 1), Hash(6, 2), Hash(6, 3)}), HashVerdict::kDifferent);
}

TEST(HashSurvey, WhoDoesNotAnswerHidesNoDifference) {
  EXPECT_EQ(Compare({Hash(5, 1), kSilent, Hash(5, 1)}), HashVerdict::kUnknown);
  EXPECT_EQ(Compare({Hash(5, 1), kSilent, Hash(5, 2)}), HashVerdict::kDifferent);
  EXPECT_EQ(Compare({kSilent}), HashVerdict::kUnknown);
  EXPECT_EQ(Compare({}), HashVerdict::kUnknown);
}

TEST(HashSurvey, AllAreAskedForARevisionThatAllHave) {
  ClusterSurvey survey;
  EXPECT_EQ(CommonRevision(survey), 0);
  for (int64_t revision : {9, 7, 8}) {
    MemberStatus member{.endpoint = "a:1", .name = "a", .member_id = {}};
    member.response.emplace();
    member.response->mutable_header()->set_revision(revision);
    survey.members.push_back(member);
  }
  survey.members.push_back({.endpoint = "b:1", .name = "b", .member_id = {}, .error = "away"});
  EXPECT_EQ(CommonRevision(survey), 7);
}

}  // namespace
}  // namespace pontoon::ctl
