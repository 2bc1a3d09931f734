#include "kv/read/read_gate.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kv/errors.h"
#include "kv/store/store_harness.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

// Barriers pass when the test says so. It follows a leader.
class BarrierReplica final : public raft::Replica {
 public:
  struct Barrier {
    raft::ReadMode mode;
    Instant deadline;
    raft::ReadCallback done;
  };

  void ReadBarrier(raft::ReadMode mode, Instant deadline, raft::ReadCallback done) override {
    barriers.push_back({mode, deadline, std::move(done)});
  }
  void Propose(Payload, Instant, raft::ProposeCallback) override { FAIL() << "a read is no write"; }
  void ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) override {
    FAIL() << "a read is no change";
  }
  void TransferLeadership(NodeId, Instant, raft::TransferCallback) override {
    FAIL() << "a read is no transfer";
  }
  raft::ReplicaStatus Status() const override {
    raft::ReplicaStatus status;
    status.self = NodeId(1);
    status.term = Term(1);
    status.leader = NodeId(2);
    return status;
  }

  // Ends the first of those under way.
  void End(absl::Status status = absl::OkStatus()) {
    ASSERT_FALSE(barriers.empty());
    raft::ReadCallback done = std::move(barriers.front().done);
    barriers.erase(barriers.begin());
    std::move(done)(std::move(status));
  }

  std::vector<Barrier> barriers;
};

class ReadGateTest : public testing::Test {
 protected:
  ReadGateTest() {
    auto executor = std::make_unique<ManualExecutor>(&clock_);
    executor_ = executor.get();
    gate_ = std::make_unique<ReadGate>(ReadGate::Parts{&replica_, &h_.store(), &clock_},
                                       std::move(executor));
  }

  // What became of a read; nothing yet if it waits.
  using Outcome = std::shared_ptr<std::optional<absl::StatusOr<ReadGate::Passed>>>;
  Outcome Pass(const ReadOptions& options, absl::Duration patience = absl::Seconds(10)) {
    auto outcome = std::make_shared<std::optional<absl::StatusOr<ReadGate::Passed>>>();
    gate_->Pass(options, clock_.Now() + patience,
                [outcome](absl::StatusOr<ReadGate::Passed> passed) { *outcome = passed; });
    return outcome;
  }
  Outcome PassBounded(absl::Duration max_staleness) {
    return Pass({.consistency = Consistency::kFollower, .max_staleness = max_staleness});
  }
  // Has a linearizable read prove the state of now.
  void Prove() {
    Pass({});
    replica_.End();
  }

  static absl::Status StatusOf(const Outcome& outcome) {
    return outcome->has_value() ? (**outcome).status() : absl::UnknownError("it waits");
  }
  // How old the state can be by now that the read has passed with.
  std::optional<absl::Duration> Staleness(const Outcome& outcome) {
    return gate_->StalenessOf((**outcome).value());
  }

  ManualClock clock_;
  StoreHarness h_;
  BarrierReplica replica_;
  ManualExecutor* executor_ = nullptr;
  std::unique_ptr<ReadGate> gate_;
};

TEST_F(ReadGateTest, ALinearizableReadPassesABarrierOfAQuorum) {
  const Outcome read = Pass({}, absl::Seconds(3));
  ASSERT_EQ(replica_.barriers.size(), 1u);
  EXPECT_EQ(replica_.barriers[0].mode, raft::ReadMode::kQuorum);
  EXPECT_EQ(replica_.barriers[0].deadline, clock_.Now() + absl::Seconds(3));
  EXPECT_FALSE(read->has_value());
  clock_.Advance(absl::Milliseconds(5));
  replica_.End();
  ASSERT_EQ(StatusOf(read), absl::OkStatus());
  EXPECT_EQ((**read)->consistency, Consistency::kLinearizable);
  EXPECT_EQ(Staleness(read), absl::Milliseconds(5)) << "counted from its beginning";
}

TEST_F(ReadGateTest, ALeaseReadPassesOneOfTheLease) {
  const Outcome read = Pass({.consistency = Consistency::kLease});
  ASSERT_EQ(replica_.barriers.size(), 1u);
  EXPECT_EQ(replica_.barriers[0].mode, raft::ReadMode::kLease);
  replica_.End();
  ASSERT_EQ(StatusOf(read), absl::OkStatus());
  EXPECT_EQ((**read)->consistency, Consistency::kLease);
}

TEST_F(ReadGateTest, ABarrierThatDoesNotPassIsTheErrorThatClientsKnow) {
  const Outcome read = Pass({});
  replica_.End(absl::DeadlineExceededError("no leader"));
  EXPECT_TRUE(Is(StatusOf(read), kErrTimeout)) << StatusOf(read);
}

TEST_F(ReadGateTest, AFollowersReadAsksNobody) {
  const Outcome read = Pass({.consistency = Consistency::kFollower});
  EXPECT_TRUE(replica_.barriers.empty());
  ASSERT_EQ(StatusOf(read), absl::OkStatus());
  EXPECT_EQ((**read)->consistency, Consistency::kFollower);
  EXPECT_EQ(Staleness(read), std::nullopt) << "nothing is known";

  Prove();
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(Staleness(Pass({.consistency = Consistency::kFollower})), absl::Seconds(7));
}

TEST_F(ReadGateTest, ABoundedReadWithoutAProofPassesABarrier) {
  const Outcome read = PassBounded(absl::Seconds(1));
  ASSERT_EQ(replica_.barriers.size(), 1u);
  EXPECT_EQ(replica_.barriers[0].mode, raft::ReadMode::kQuorum) << "no clock of another counts";
  EXPECT_FALSE(read->has_value());
  clock_.Advance(absl::Milliseconds(30));
  replica_.End();
  ASSERT_EQ(StatusOf(read), absl::OkStatus());
  EXPECT_EQ((**read)->consistency, Consistency::kFollower);
  EXPECT_EQ(Staleness(read), absl::Milliseconds(30));
}

TEST_F(ReadGateTest, NothingIsNoProofHoweverLongTheBound) {
  ASSERT_LT(clock_.Now(), Instant() + absl::Hours(1)) << "the clock has just begun";
  EXPECT_FALSE(PassBounded(absl::Hours(1))->has_value());
  replica_.End(absl::DeadlineExceededError("no leader"));
}

TEST_F(ReadGateTest, ABoundedReadWithAProofBeginsAtOnce) {
  Prove();
  clock_.Advance(absl::Seconds(1));
  const Outcome read = PassBounded(absl::Seconds(1));
  ASSERT_EQ(StatusOf(read), absl::OkStatus());
  EXPECT_EQ(Staleness(read), absl::Seconds(1));

  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_FALSE(PassBounded(absl::Seconds(1))->has_value()) << "it is too old for that now";
}

TEST_F(ReadGateTest, AnAnswerThatWasUnderWayForLongProvesNothingNew) {
  Pass({});
  clock_.Advance(absl::Seconds(5));  // the barrier's answer is delayed
  replica_.End();
  EXPECT_FALSE(PassBounded(absl::Seconds(4))->has_value());
  EXPECT_TRUE(PassBounded(absl::Seconds(5))->has_value());
}

TEST_F(ReadGateTest, ALeaseProvesNothingForABound) {
  Pass({.consistency = Consistency::kLease});
  replica_.End();
  EXPECT_FALSE(PassBounded(absl::Seconds(1))->has_value());
}

TEST_F(ReadGateTest, AnOlderProofTakesNothingBack) {
  Pass({});
  clock_.Advance(absl::Seconds(1));
  Pass({});
  std::swap(replica_.barriers[0], replica_.barriers[1]);
  replica_.End();
  replica_.End();  // began first
  EXPECT_EQ(Staleness(Pass({.consistency = Consistency::kFollower})), absl::ZeroDuration());
}

TEST_F(ReadGateTest, NoStalenessAtAllCountsFromWhenTheReadCame) {
  const Outcome read = PassBounded(absl::ZeroDuration());
  clock_.Advance(absl::Milliseconds(30));
  replica_.End();
  EXPECT_EQ(StatusOf(read), absl::OkStatus());
}

TEST_F(ReadGateTest, ProofsAreRenewedBeforeReadsHaveToWait) {
  Prove();
  clock_.Advance(absl::Milliseconds(500));
  PassBounded(absl::Seconds(1));
  EXPECT_TRUE(replica_.barriers.empty()) << "there is time";
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(PassBounded(absl::Seconds(1))->has_value());
  EXPECT_TRUE(PassBounded(absl::Seconds(1))->has_value());
  ASSERT_EQ(replica_.barriers.size(), 1u) << "one is enough";
  replica_.End();
  EXPECT_EQ(Staleness(PassBounded(absl::Seconds(1))), absl::ZeroDuration());

  clock_.Advance(absl::Milliseconds(501));
  PassBounded(absl::Seconds(1));
  ASSERT_EQ(replica_.barriers.size(), 1u) << "and then another one";
}

TEST_F(ReadGateTest, ARenewalThatFailsIsTriedAgain) {
  Prove();
  clock_.Advance(absl::Milliseconds(600));
  PassBounded(absl::Seconds(1));
  replica_.End(absl::DeadlineExceededError("no leader"));
  PassBounded(absl::Seconds(1));
  EXPECT_EQ(replica_.barriers.size(), 1u);
}

TEST_F(ReadGateTest, WhatCannotBeProvenIsRefusedWithWhatCan) {
  const Outcome nothing = PassBounded(absl::Seconds(1));
  ASSERT_EQ(replica_.barriers.size(), 1u);
  EXPECT_EQ(replica_.barriers[0].deadline, clock_.Now() + absl::Seconds(9)) << "and not 10";
  replica_.End(absl::DeadlineExceededError("no leader"));
  EXPECT_EQ(
      StatusOf(nothing),
      absl::UnavailableError(
          "pontoon: the state of this member is to be at most 1s old, and nothing is known of "
          "how old it is: it has not heard from a leader since"));

  Prove();
  clock_.Advance(absl::Seconds(2));
  const Outcome old = PassBounded(absl::Seconds(1));
  clock_.Advance(absl::Seconds(9));
  replica_.End(absl::DeadlineExceededError("no leader"));
  EXPECT_EQ(StatusOf(old), absl::UnavailableError(
                               "pontoon: the state of this member is to be at most 1s old, and it "
                               "can be 11s old: it has not heard from a leader since"));
}

TEST_F(ReadGateTest, ABoundedReadThatIsRefusedForAnotherReasonSaysThat) {
  const Outcome stopped = PassBounded(absl::Seconds(1));
  replica_.End(absl::UnavailableError("stopping"));
  EXPECT_TRUE(Is(StatusOf(stopped), kErrStopped)) << StatusOf(stopped);
  const Outcome refused = PassBounded(absl::Seconds(1));
  replica_.End(absl::ResourceExhaustedError("too many"));
  EXPECT_TRUE(Is(StatusOf(refused), kErrRequestTooManyRequests)) << StatusOf(refused);
}

TEST_F(ReadGateTest, AnotherReadsProofServesABoundedReadWhoseOwnBarrierFails) {
  const Outcome read = PassBounded(absl::Seconds(1));
  Pass({});
  std::swap(replica_.barriers[0], replica_.barriers[1]);
  replica_.End();
  replica_.End(absl::DeadlineExceededError("lost"));
  EXPECT_EQ(StatusOf(read), absl::OkStatus());
}

TEST_F(ReadGateTest, ARevisionIsWaitedForWithWhateverConsistency) {
  const Revision next(h_.Put("a", "1") + 1);
  const Outcome local = Pass({.consistency = Consistency::kFollower, .min_revision = next});
  const Outcome linearizable = Pass({.min_revision = next});
  replica_.End();
  executor_->RunDue();
  EXPECT_FALSE(local->has_value());
  EXPECT_FALSE(linearizable->has_value());
  h_.Put("a", "2");
  executor_->RunDue();
  ASSERT_EQ(StatusOf(local), absl::OkStatus());
  EXPECT_EQ((**local)->consistency, Consistency::kFollower);
  ASSERT_EQ(StatusOf(linearizable), absl::OkStatus());
  EXPECT_EQ((**linearizable)->consistency, Consistency::kLinearizable);
}

TEST_F(ReadGateTest, ARevisionThatDoesNotComeIsRefusedInGoodTime) {
  const Outcome read = Pass({.consistency = Consistency::kFollower, .min_revision = Revision(99)},
                            absl::Seconds(10));
  executor_->RunFor(absl::Seconds(9.5));
  EXPECT_EQ(StatusOf(read), absl::UnavailableError("pontoon: this member has come to revision 1, "
                                                   "and revision 99 was asked for"));
}

TEST_F(ReadGateTest, NobodyWaitsForARevisionAfterTheEnd) {
  const Outcome read = Pass({.consistency = Consistency::kFollower, .min_revision = Revision(99)});
  gate_->Stop();
  executor_->RunDue();
  EXPECT_TRUE(Is(StatusOf(read), kErrStopped)) << StatusOf(read);
}

}  // namespace
}  // namespace pontoon::kv
