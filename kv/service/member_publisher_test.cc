#include "kv/service/member_publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "kv/errors.h"
#include "kv/store/kv_result.h"
#include "proto/command.pb.h"
#include "raft/base/check.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using ::testing::ElementsAre;

// Keeps what is proposed, for the test to answer.
class PatientReplica final : public raft::Replica {
 public:
  void Propose(Payload command, Instant, raft::ProposeCallback done) override {
    commands.push_back(std::move(command));
    callbacks.push_back(std::move(done));
  }
  void ReadBarrier(raft::ReadMode, Instant, raft::ReadCallback) override { CHECK(false); }
  void ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) override {
    CHECK(false);
  }
  void TransferLeadership(NodeId, Instant, raft::TransferCallback) override { CHECK(false); }
  raft::ReplicaStatus Status() const override { return {}; }

  std::vector<Payload> commands;
  std::vector<raft::ProposeCallback> callbacks;
};

class MemberPublisherTest : public ::testing::Test {
 protected:
  MemberPublisherTest() {
    publisher_.Start();
    executor_.RunDue();
  }

  // To the last proposal.
  void Answer(raft::ProposeOutcome outcome) {
    std::move(replica_.callbacks.back())(std::move(outcome));
  }
  void AnswerApplied(absl::Status status) {
    auto result = std::make_unique<KvResult>();
    result->status = std::move(status);
    Answer(raft::Applied{{}, std::move(result)});
  }
  // How many proposals there are after a long time.
  size_t ProposalsInTheEnd() {
    executor_.RunFor(absl::Seconds(30));
    return replica_.commands.size();
  }

  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  PatientReplica replica_;
  MemberPublisher publisher_{
      {&replica_, &clock_, &executor_},
      {.id = NodeId{7}, .name = "n", .peer_urls = {}, .client_urls = {"http://a:1", "http://a:2"}}};
};

TEST_F(MemberPublisherTest, PublishesOnce) {
  ASSERT_EQ(ProposalsInTheEnd(), 1u) << "while no answer has come";
  storage::v1::Command command;
  ASSERT_TRUE(command.ParseFromString(*replica_.commands[0]));
  EXPECT_EQ(command.member_publication().member_id(), 7u);
  EXPECT_EQ(command.member_publication().name(), "n");
  EXPECT_THAT(command.member_publication().client_urls(), ElementsAre("http://a:1", "http://a:2"));
  AnswerApplied(absl::OkStatus());
  EXPECT_EQ(ProposalsInTheEnd(), 1u);
}

TEST_F(MemberPublisherTest, TriesUntilItHasSucceeded) {
  Answer(raft::NotApplied{raft::NotApplied::Reason::kNoLeader});
  EXPECT_EQ(ProposalsInTheEnd(), 2u);
  Answer(raft::OutcomeUnknown{raft::OutcomeUnknown::Reason::kDeadline});
  EXPECT_EQ(ProposalsInTheEnd(), 3u);
  AnswerApplied(absl::OkStatus());
  EXPECT_EQ(ProposalsInTheEnd(), 3u);
}

TEST_F(MemberPublisherTest, WhoIsNoMemberAnyMoreGivesUp) {
  AnswerApplied(kErrMemberNotFound);
  EXPECT_EQ(ProposalsInTheEnd(), 1u);
}

}  // namespace
}  // namespace pontoon::kv
