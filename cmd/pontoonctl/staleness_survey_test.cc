#include "cmd/pontoonctl/staleness_survey.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

// A leader, member 1, and a follower, member 2, in order unless a test says otherwise.
class WhatIsShownTest : public ::testing::Test {
 protected:
  WhatIsShownTest() {
    survey_.members.push_back(Answering(1));
    survey_.members.push_back(Answering(2));
    pontoon::v1::FollowerStatus* const follower = leader().response->add_followers();
    follower->set_member_id(2);
    follower->set_last_contact_age_ms(40);
  }

  static MemberStatus Answering(uint64_t id) {
    MemberStatus member{.endpoint = "a:1", .name = "one", .member_id = id};
    member.response.emplace();
    member.response->mutable_header()->set_member_id(id);
    member.response->set_leader(1);
    member.response->set_raftindex(100);
    member.response->set_raftappliedindex(100);
    return member;
  }

  MemberStatus& leader() { return survey_.members[0]; }
  MemberStatus& follower() { return survey_.members[1]; }
  // What the leader says of it.
  pontoon::v1::FollowerStatus& as_follower() { return *leader().response->mutable_followers(0); }

  std::string Shown() { return WhatIsShown(survey_, follower(), read_); }

  ClusterSurvey survey_;
  FollowerRead read_{
      .status = absl::OkStatus(), .revision = 1234, .staleness_bound = absl::Milliseconds(120)};
};

TEST_F(WhatIsShownTest, IsWhatTheMemberProvesAndTheLeaderKnows) {
  EXPECT_EQ(Shown(), "shows everything older than 120 ms; lacks nothing that is known");
  follower().response->set_raftappliedindex(70);
  EXPECT_EQ(Shown(), "shows everything older than 120 ms; lacks 30 entries");
  follower().response->set_raftappliedindex(99);
  EXPECT_EQ(Shown(), "shows everything older than 120 ms; lacks 1 entry");
}

TEST_F(WhatIsShownTest, ClaimsNothingThatIsNotProven) {
  read_.staleness_bound.reset();
  EXPECT_EQ(Shown(), "nothing is proven yet; lacks nothing that is known");
}

TEST_F(WhatIsShownTest, OfTheLeaderIsLikewise) {
  EXPECT_EQ(WhatIsShown(survey_, leader(), read_),
            "shows everything older than 120 ms; lacks nothing that is known");
}

TEST_F(WhatIsShownTest, AMemberCanBeCutOffFromItsLeader) {
  as_follower().set_last_contact_age_ms(999);
  EXPECT_EQ(Shown(), "shows everything older than 120 ms; lacks nothing that is known");
  as_follower().set_last_contact_age_ms(7000);
  EXPECT_EQ(Shown(), "cut off for 7.0 s; shows revision 1234");
  as_follower().set_last_contact_age_ms(-1);
  EXPECT_EQ(Shown(), "cut off from its leader; shows revision 1234");
}

TEST_F(WhatIsShownTest, AMemberCanKnowNoLeader) {
  follower().response->set_leader(0);
  EXPECT_EQ(Shown(), "knows no leader; shows everything older than 120 ms");
  read_.staleness_bound.reset();
  EXPECT_EQ(Shown(), "knows no leader; nothing is proven yet");
}

TEST_F(WhatIsShownTest, WhereNobodyLeadsTheProofIsAllThereIs) {
  leader().response.reset();
  EXPECT_EQ(Shown(), "shows everything older than 120 ms");
}

TEST_F(WhatIsShownTest, AMemberCanBeOnItsWayToASnapshot) {
  as_follower().set_gets_snapshot(true);
  EXPECT_EQ(Shown(), "gets a snapshot; shows revision 1234 until it has it");
}

TEST_F(WhatIsShownTest, AMemberCanBeUnreachable) {
  follower().response.reset();
  as_follower().set_last_contact_age_ms(7240);
  EXPECT_EQ(Shown(), "unreachable; the leader heard from it 7.2 s ago");
  as_follower().set_last_contact_age_ms(-1);
  EXPECT_EQ(Shown(), "unreachable; the leader has not heard from it either");
  leader().response.reset();
  EXPECT_EQ(Shown(), "unreachable");
}

TEST_F(WhatIsShownTest, AMemberCanRefuse) {
  read_ = {.status = absl::UnavailableError("it is corrupt")};
  EXPECT_EQ(Shown(), "answers no FOLLOWER read: it is corrupt");
}

}  // namespace
}  // namespace pontoon::ctl
