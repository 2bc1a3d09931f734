#include "kv/monitor/survey_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "raft/env/instruments.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::StatusResponse;
using nlohmann::json;

constexpr NodeId kOne{0xa1}, kTwo{0xb2}, kThree{0xc3};

StatusResponse StatusOf(NodeId node, pontoon::v1::Role role, uint64_t term, NodeId leader) {
  StatusResponse status;
  status.mutable_header()->set_cluster_id(0xfeed);
  status.mutable_header()->set_member_id(node.value());
  status.mutable_header()->set_revision(7);
  status.set_role(role);
  status.set_raftterm(term);
  status.set_leader(leader.value());
  return status;
}

SurveyedMember Answering(NodeId node, const std::string& name, StatusResponse status) {
  return {.info = {.id = node, .name = name, .peer_urls = {}, .client_urls = {}},
          .is_learner = status.islearner(),
          .status = std::move(status),
          .error = {}};
}

SurveyedMember Silent(NodeId node, const std::string& name, const std::string& error) {
  return {.info = {.id = node, .name = name, .peer_urls = {}, .client_urls = {}},
          .is_learner = false,
          .status = {},
          .error = error};
}

json Parsed(const Survey& survey) {
  return json::parse(ToJson(survey, absl::FromUnixMillis(1234567)));
}

// Two that answer, the first of which leads, and one that does not.
Survey TypicalSurvey() {
  StatusResponse leader = StatusOf(kOne, pontoon::v1::LEADER, 5, kOne);
  pontoon::v1::FollowerStatus& follower = *leader.add_followers();
  follower.set_member_id(kTwo.value());
  follower.set_lag_entries(3);
  follower.set_lag_bytes(900);
  follower.set_lag_age_ms(2500);
  follower.set_last_contact_age_ms(40);
  follower.set_gets_snapshot(true);
  pontoon::v1::FollowerStatus& lost = *leader.add_followers();
  lost.set_member_id(kThree.value());
  lost.set_last_contact_age_ms(-1);
  Survey survey{.served_by = kTwo, .members = {}, .error = {}};
  survey.members.push_back(Answering(kOne, "one", std::move(leader)));
  survey.members.push_back(Answering(kTwo, "two", StatusOf(kTwo, pontoon::v1::FOLLOWER, 5, kOne)));
  survey.members.push_back(Silent(kThree, "three", "does not answer"));
  return survey;
}

TEST(SurveyJson, TellsWhoLeadsAndWhoServes) {
  const json body = Parsed(TypicalSurvey());
  EXPECT_EQ(body["served_by"], "b2");
  EXPECT_EQ(body["cluster_id"], "feed");
  EXPECT_EQ(body["time_ms"], 1234567);
  EXPECT_EQ(body["leader"], "a1");
  EXPECT_EQ(body["term"], 5);
  ASSERT_EQ(body["members"].size(), 3u);
  EXPECT_EQ(body["members"][0]["status"]["role"], "leader");
  EXPECT_EQ(body["members"][1]["status"]["role"], "follower");
  EXPECT_EQ(body["members"][1]["status"]["leader"], "a1");
  EXPECT_EQ(body["members"][1]["status"]["revision"], 7);
}

TEST(SurveyJson, LagIsAsTheLeaderSeesIt) {
  const json body = Parsed(TypicalSurvey());
  EXPECT_TRUE(body["members"][0]["lag"].is_null());  // the leader itself
  const json lag = body["members"][1]["lag"];
  EXPECT_EQ(lag["entries"], 3);
  EXPECT_EQ(lag["bytes"], 900);
  EXPECT_EQ(lag["seconds"], 2.5);
  EXPECT_EQ(lag["contact_age_seconds"], 0.04);
  EXPECT_EQ(lag["gets_snapshot"], true);
  EXPECT_TRUE(body["members"][2]["lag"]["contact_age_seconds"].is_null());
}

TEST(SurveyJson, WhoDoesNotAnswerIsAProblem) {
  const json body = Parsed(TypicalSurvey());
  EXPECT_EQ(body["members"][2]["reachable"], false);
  EXPECT_TRUE(body["members"][2]["status"].is_null());
  EXPECT_EQ(body["problems"], json::array({"three does not answer"}));
}

TEST(SurveyJson, WithoutALeaderThereIsNoLag) {
  Survey survey = TypicalSurvey();
  survey.members[0].status = StatusOf(kOne, pontoon::v1::PRE_CANDIDATE, 6, kNoNode);
  survey.members[0].status->add_errors("etcdserver: no leader");
  const json body = Parsed(survey);
  EXPECT_TRUE(body["leader"].is_null());
  EXPECT_TRUE(body["members"][1]["lag"].is_null());
  EXPECT_EQ(body["members"][0]["status"]["role"], "candidate");
  EXPECT_EQ(body["problems"], json::array({"no member that answers leads",
                                           "one: etcdserver: no leader", "three does not answer"}));
}

TEST(SurveyJson, OfTwoLeadersTheLaterOneCounts) {
  Survey survey = TypicalSurvey();
  survey.members[1].status = StatusOf(kTwo, pontoon::v1::LEADER, 6, kTwo);
  const json body = Parsed(survey);
  EXPECT_EQ(body["leader"], "b2");
  EXPECT_EQ(body["term"], 6);
}

TEST(SurveyJson, ALearnerIsNoFollower) {
  Survey survey = TypicalSurvey();
  survey.members[1].status->set_islearner(true);
  survey.members[1].is_learner = true;
  const json body = Parsed(survey);
  EXPECT_EQ(body["members"][1]["status"]["role"], "learner");
  EXPECT_EQ(body["members"][1]["learner"], true);
}

TEST(SurveyJson, RoleChangesOfAllAreByAge) {
  Survey survey = TypicalSurvey();
  const auto add = [&](size_t member, int64_t age_ms, const char* reason) {
    pontoon::v1::RoleChange& change = *survey.members[member].status->add_role_changes();
    change.set_age_ms(age_ms);
    change.set_role(pontoon::v1::FOLLOWER);
    change.set_reason(reason);
  };
  add(0, 9000, "oldest");
  add(0, 1000, "newest");
  add(1, 4000, "between");
  const json changes = Parsed(survey)["role_changes"];
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0]["reason"], "newest");
  EXPECT_EQ(changes[0]["age_seconds"], 1.0);
  EXPECT_EQ(changes[1]["reason"], "between");
  EXPECT_EQ(changes[1]["member"], "b2");
  EXPECT_TRUE(changes[1]["leader"].is_null());
  EXPECT_EQ(changes[2]["reason"], "oldest");
}

TEST(SurveyJson, DurationsHaveTheBoundsOfTheirBuckets) {
  Survey survey = TypicalSurvey();
  pontoon::v1::DurationCounts& durations =
      *survey.members[0].status->mutable_activity()->mutable_commit_durations();
  for (size_t i = 0; i <= DurationHistogram::kBounds; ++i) durations.add_counts(i);
  durations.set_sum_us(1'500'000);
  const json body = Parsed(survey)["members"][0]["status"]["commit_durations"];
  EXPECT_EQ(body["bounds_seconds"].size(), DurationHistogram::kBounds);
  EXPECT_EQ(body["bounds_seconds"][0], 0.000125);
  EXPECT_EQ(body["bounds_seconds"][3], 0.001);
  EXPECT_EQ(body["counts"].size(), DurationHistogram::kBounds + 1);
  EXPECT_EQ(body["counts"][2], 2);
  EXPECT_EQ(body["sum_seconds"], 1.5);
}

TEST(SurveyJson, ANameMayBeAnyBytes) {
  Survey survey = TypicalSurvey();
  survey.members[0].info.name = "a\xff\"</script>";
  EXPECT_EQ(Parsed(survey)["members"][0]["name"], "a\xEF\xBF\xBD\"</script>");
}

TEST(SurveyJson, AListThatCannotBeReadIsAProblem) {
  const json body = Parsed({.served_by = kOne, .members = {}, .error = "the disk is damaged"});
  EXPECT_EQ(body["problems"][0], "the members cannot be listed: the disk is damaged");
  EXPECT_TRUE(body["members"].empty());
}

}  // namespace
}  // namespace pontoon::kv
