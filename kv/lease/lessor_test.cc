// The lessor on a clock that the test moves, before a replica that does what the test lets it.

#include "kv/lease/lessor.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/service/command.h"
#include "kv/service/testing/instant_replica.h"
#include "kv/store/kv_store.h"
#include "kv/store/lease_records.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using Kind = LeaseQuestion::Kind;
using testing::ElementsAre;

constexpr NodeId kSelf{1};
constexpr NodeId kPeer{2};

// Passes everything on, but proposals only when it is told to.
class HoldingReplica final : public raft::Replica {
 public:
  explicit HoldingReplica(InstantReplica* inner) : inner_(inner) {}

  void Propose(Payload command, Instant deadline, raft::ProposeCallback done) override {
    most_held = std::max(most_held, held_.size() + 1);
    held_.push_back({std::move(command), deadline, std::move(done)});
    if (!holds) Release();
  }
  void Release() {
    for (Held& held : std::exchange(held_, {})) {
      inner_->Propose(std::move(held.command), held.deadline, std::move(held.done));
    }
  }
  // The first of those that are held ends like this; it may be applied all the same, or not.
  Payload Answer(raft::ProposeOutcome outcome) {
    Held held = std::move(held_.front());
    held_.erase(held_.begin());
    std::move(held.done)(std::move(outcome));
    return held.command;
  }
  size_t held() const { return held_.size(); }

  void ReadBarrier(raft::ReadMode mode, Instant deadline, raft::ReadCallback done) override {
    inner_->ReadBarrier(mode, deadline, std::move(done));
  }
  void ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) override {
    FAIL() << "not the lessor's affair";
  }
  void TransferLeadership(NodeId, Instant, raft::TransferCallback) override {
    FAIL() << "not the lessor's affair";
  }
  raft::ReplicaStatus Status() const override { return inner_->Status(); }

  bool holds = false;
  size_t most_held = 0;

 private:
  struct Held {
    Payload command;
    Instant deadline;
    raft::ProposeCallback done;
  };

  InstantReplica* const inner_;
  std::vector<Held> held_;
};

class LessorTest : public testing::Test {
 protected:
  LessorTest()
      : dir_(absl::StrCat(testing::TempDir(), "/",
                          testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(dir_);  // of an earlier run
    auto store = KvStore::Open(dir_, StoreOptions());
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    auto executor = std::make_unique<ManualExecutor>(&clock_);
    replica_executor_ = executor.get();
    instant_ = std::make_unique<InstantReplica>(kSelf, store_.get(), std::move(executor));
    replica_ = std::make_unique<HoldingReplica>(instant_.get());
    executor_ = std::make_unique<ManualExecutor>(&clock_);
    lessor_ = std::make_unique<Lessor>(
        Lessor::Parts{replica_.get(), store_.get(), &clock_, executor_.get()}, Lessor::Options());
    Settle();
  }
  ~LessorTest() override {
    lessor_->Close();
    executor_.reset();
  }

  // Lets everybody do what can be done now.
  void Settle() {
    while (executor_->RunDue() || replica_executor_->RunDue()) continue;
  }
  void Pass(absl::Duration time) {
    for (; time > absl::ZeroDuration(); time -= kStep) {
      executor_->RunFor(kStep);
      Settle();
    }
  }
  static constexpr absl::Duration kStep = absl::Milliseconds(100);

  template <typename Message>
  absl::Status Apply(const Message& message) {
    absl::Status status = absl::InternalError("no answer");
    instant_->Propose(*EncodeCommand(message, 1 << 20), clock_.Now(),
                      [&](raft::ProposeOutcome outcome) {
                        auto& applied = std::get<raft::Applied>(outcome);
                        status = static_cast<KvResult&>(*applied.result).status;
                      });
    Settle();
    return status;
  }
  void Grant(int64_t id, int64_t ttl_seconds) {
    etcdserverpb::LeaseGrantRequest request;
    request.set_id(id);
    request.set_ttl(ttl_seconds);
    const absl::Status granted = Apply(request);
    ASSERT_TRUE(granted.ok()) << granted;
  }
  void Revoke(int64_t id) {
    storage::v1::LeaseRevocation revocation;
    revocation.set_id(id);
    const absl::Status revoked = Apply(revocation);
    ASSERT_TRUE(revoked.ok()) << revoked;
  }

  // What will have been answered; nothing before that.
  using Answer = std::shared_ptr<std::optional<LeaseAnswer>>;
  Answer Begin(Kind kind, const std::vector<int64_t>& ids) {
    LeaseQuestion question{kind, {}};
    for (const int64_t id : ids) question.leases.push_back(LeaseId(id));
    auto answer = std::make_shared<std::optional<LeaseAnswer>>();
    lessor_->Ask(std::move(question), [answer](LeaseAnswer given) { *answer = std::move(given); });
    return answer;
  }
  // The answer for one lease, at once; -2 for none yet, -3 for an error, which is kept.
  int64_t Ask(Kind kind, int64_t id) {
    const Answer answer = Begin(kind, {id});
    Settle();
    return Only(answer);
  }
  int64_t Only(const Answer& answer) {
    if (!answer->has_value()) return -2;
    error_ = (*answer)->status();
    return (*answer)->ok() ? (*answer)->value().at(0) : -3;
  }

  std::optional<LeaseState> Find(int64_t id) {
    const auto found = ReadLease(store_->View()->records(), LeaseId(id));
    EXPECT_TRUE(found.ok()) << found.status();
    return *found;
  }
  bool Exists(int64_t id) { return Find(id).has_value(); }

  // Another member leads, and then this one again.
  void Lead(Term term) {
    instant_->SetLeader(kPeer);
    Settle();
    Pass(kStep);
    instant_->SetTerm(term);
    instant_->SetLeader(kSelf);
    Pass(kStep);
  }

  const std::string dir_;
  ManualClock clock_;
  std::unique_ptr<KvStore> store_;
  ManualExecutor* replica_executor_ = nullptr;
  std::unique_ptr<InstantReplica> instant_;
  std::unique_ptr<HoldingReplica> replica_;
  std::unique_ptr<ManualExecutor> executor_;
  std::unique_ptr<Lessor> lessor_;
  absl::Status error_;
};

TEST_F(LessorTest, ALeaseEndsWhenItsTimeIsOver) {
  Grant(1, 10);
  Pass(absl::Milliseconds(9900));
  EXPECT_TRUE(Exists(1));
  Pass(absl::Milliseconds(200));
  EXPECT_FALSE(Exists(1));
}

TEST_F(LessorTest, ARenewedLeaseLives) {
  Grant(1, 10);
  for (int i = 0; i < 5; ++i) {
    Pass(absl::Seconds(9));
    EXPECT_EQ(Ask(Kind::kRenew, 1), 10);
  }
  EXPECT_EQ(instant_->proposals(), 1) << "to renew costs no entry of the log";
  Pass(absl::Milliseconds(9900));
  EXPECT_TRUE(Exists(1));
  Pass(absl::Milliseconds(200));
  EXPECT_FALSE(Exists(1));
  EXPECT_EQ(Ask(Kind::kRenew, 1), kNoSuchLease);
}

TEST_F(LessorTest, TheTimeLeftIsTold) {
  Grant(1, 10);
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), 10);
  Pass(absl::Milliseconds(3500));
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), 6);
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), 6) << "to ask changes nothing";
  EXPECT_EQ(Ask(Kind::kTimeLeft, 2), kNoSuchLease);
}

TEST_F(LessorTest, ManyLeasesAreAskedForTogether) {
  Grant(1, 10);
  Grant(-3, 30);
  const Answer answer = Begin(Kind::kRenew, {1, 2, -3});
  Settle();
  ASSERT_TRUE(answer->has_value());
  EXPECT_THAT(answer->value().value(), ElementsAre(10, kNoSuchLease, 30));
}

TEST_F(LessorTest, ALeaseThatAClientRevokedIsGoneAtOnce) {
  Grant(1, 10);
  Revoke(1);
  EXPECT_EQ(Ask(Kind::kRenew, 1), kNoSuchLease);
  Grant(1, 20);
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), 20);
  Pass(absl::Seconds(19));
  EXPECT_TRUE(Exists(1));
}

TEST_F(LessorTest, OneThatDoesNotLeadKeepsNoTime) {
  Grant(1, 10);
  instant_->SetLeader(kPeer);
  EXPECT_EQ(Ask(Kind::kRenew, 1), -3);
  EXPECT_TRUE(Is(error_, kErrNotLeader)) << error_;
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), -3);
  Pass(absl::Seconds(30));
  EXPECT_TRUE(Exists(1));
  EXPECT_EQ(instant_->proposals(), 1);
}

TEST_F(LessorTest, ANewLeaderGrantsTheTimeAgainAndMore) {
  Grant(1, 10);
  Pass(absl::Seconds(9));
  Lead(Term{2});
  Pass(absl::Milliseconds(10'800));
  EXPECT_TRUE(Exists(1)) << "an election timeout more";
  Pass(absl::Milliseconds(300));
  EXPECT_FALSE(Exists(1));
}

TEST_F(LessorTest, ANewTermOfTheSameLeaderIsANewBeginning) {
  Grant(1, 10);
  Pass(absl::Seconds(9));
  instant_->SetTerm(Term{2});
  Pass(absl::Seconds(9));
  EXPECT_TRUE(Exists(1));
}

TEST_F(LessorTest, ALeaderAnswersOnlyWhenItKnowsTheLeases) {
  Grant(1, 10);
  instant_->SetLeader(kPeer);
  Settle();
  Pass(kStep);
  instant_->SetTerm(Term{2});
  instant_->SetLeader(kSelf);
  const Answer answer = Begin(Kind::kRenew, {1});
  executor_->RunDue();
  EXPECT_EQ(Only(answer), -2) << "it is not confirmed yet";
  Settle();
  EXPECT_EQ(Only(answer), 10);
}

// ---- who does not lead any more

TEST_F(LessorTest, ARevocationOfAFormerLeaderHasNoEffect) {
  Grant(1, 10);
  replica_->holds = true;
  Pass(absl::Milliseconds(10'100));
  ASSERT_EQ(replica_->held(), 1u);
  instant_->SetTerm(Term{2});
  replica_->Release();
  Settle();
  EXPECT_TRUE(Exists(1));
  EXPECT_EQ(Ask(Kind::kRenew, 1), 10) << "the new term knows nothing of it";
  replica_->holds = false;
  Pass(absl::Milliseconds(10'900));
  EXPECT_TRUE(Exists(1)) << "a renewal takes nothing away";
  Pass(absl::Milliseconds(200));
  EXPECT_FALSE(Exists(1));
}

TEST_F(LessorTest, WhatCannotBeConfirmedIsNotAnswered) {
  Grant(1, 10);
  instant_->FailNextBarrier(absl::DeadlineExceededError("no leader"));
  EXPECT_EQ(Ask(Kind::kRenew, 1), -3);
  EXPECT_TRUE(Is(error_, kErrNotLeader)) << error_;
  instant_->FailNextBarrier(absl::ResourceExhaustedError("too many"));
  Pass(kStep);
  EXPECT_EQ(Ask(Kind::kRenew, 1), -3);
  EXPECT_TRUE(Is(error_, kErrRequestTooManyRequests)) << error_;
}

// The process stands still between the confirmation and the answer; meanwhile another leader may
// have come, of which this one does not know yet.
TEST_F(LessorTest, AnOldConfirmationDoesNotCount) {
  Grant(1, 60);
  const Answer answer = Begin(Kind::kRenew, {1});
  executor_->RunDue();
  replica_executor_->RunDue();
  clock_.Advance(absl::Seconds(10));
  instant_->FailNextBarrier(absl::DeadlineExceededError("no leader"));
  Settle();
  EXPECT_EQ(Only(answer), -3);
  EXPECT_TRUE(Is(error_, kErrNotLeader)) << error_;
}

TEST_F(LessorTest, ALeaderThatLostItsOfficeMeanwhileDoesNotAnswer) {
  Grant(1, 60);
  const Answer answer = Begin(Kind::kRenew, {1});
  executor_->RunDue();
  replica_executor_->RunDue();
  instant_->SetLeader(kPeer);
  Settle();
  EXPECT_EQ(Only(answer), -3);
  EXPECT_TRUE(Is(error_, kErrNotLeader)) << error_;
}

// ---- while a lease is being revoked

TEST_F(LessorTest, ARenewalWaitsForTheRevocation) {
  Grant(1, 10);
  Grant(2, 100);
  replica_->holds = true;
  Pass(absl::Milliseconds(10'100));
  ASSERT_EQ(replica_->held(), 1u);
  const Answer both = Begin(Kind::kRenew, {1, 2});
  Pass(absl::Seconds(1));
  EXPECT_EQ(Only(both), -2);
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), 0);
  EXPECT_EQ(Ask(Kind::kTimeLeft, 2), 99) << "this one was renewed at once";
  replica_->Release();
  Settle();
  ASSERT_TRUE(both->has_value());
  EXPECT_THAT(both->value().value(), ElementsAre(kNoSuchLease, 100));
}

// The answer of a question with many leases is as late as that for the last one.
TEST_F(LessorTest, ARenewalThatWaitsForAnotherLeasePromisesTheTimeFromItsAnswerOn) {
  Grant(1, 10);
  Grant(2, 100);
  replica_->holds = true;
  Pass(absl::Milliseconds(10'100));
  const Answer both = Begin(Kind::kRenew, {1, 2});
  Pass(absl::Seconds(4));
  EXPECT_EQ(Only(both), -2);
  replica_->Release();
  Settle();
  ASSERT_TRUE(both->has_value());
  EXPECT_THAT(both->value().value(), ElementsAre(kNoSuchLease, 100));
  EXPECT_EQ(Ask(Kind::kTimeLeft, 2), 100);
}

TEST_F(LessorTest, ALeaseWhoseRevocationIsRefusedIsRenewed) {
  Grant(1, 10);
  replica_->holds = true;
  Pass(absl::Milliseconds(10'100));
  const Answer answer = Begin(Kind::kRenew, {1});
  Settle();
  EXPECT_EQ(Only(answer), -2);
  replica_->Answer(raft::NotApplied{raft::NotApplied::Reason::kOverloaded});
  Settle();
  EXPECT_EQ(Only(answer), 10);
  Pass(absl::Seconds(9));
  EXPECT_EQ(replica_->held(), 0u);
}

TEST_F(LessorTest, ARefusedRevocationIsTriedAgain) {
  Grant(1, 10);
  replica_->holds = true;
  Pass(absl::Milliseconds(10'100));
  replica_->Answer(raft::NotApplied{raft::NotApplied::Reason::kOverloaded});
  replica_->holds = false;
  Pass(absl::Milliseconds(500));
  EXPECT_TRUE(Exists(1)) << "not at once";
  Pass(absl::Milliseconds(700));
  EXPECT_FALSE(Exists(1));
}

TEST_F(LessorTest, NobodyRenewsWhatMayBeRevokedYet) {
  Grant(1, 10);
  replica_->holds = true;
  Pass(absl::Milliseconds(10'100));
  const Answer answer = Begin(Kind::kRenew, {1});
  Settle();
  replica_->Answer(raft::OutcomeUnknown{raft::OutcomeUnknown::Reason::kDeadline});
  Pass(absl::Seconds(3));
  EXPECT_EQ(Only(answer), -2);
  ASSERT_EQ(replica_->held(), 1u) << "it was proposed again";
  replica_->Release();
  Settle();
  EXPECT_EQ(Only(answer), kNoSuchLease);
}

// ---- checkpoints

TEST_F(LessorTest, ALongLeaseDoesNotBeginAnewWithEachLeader) {
  Grant(1, 3600);
  Grant(2, 300);
  Pass(absl::Minutes(30));
  const int64_t remaining = Find(1)->remaining_ttl_seconds;
  EXPECT_GE(remaining, 1800);
  EXPECT_LE(remaining, 1800 + 300);
  EXPECT_FALSE(Exists(2));
  Lead(Term{2});
  EXPECT_GE(Ask(Kind::kTimeLeft, 1), remaining);
  EXPECT_LE(Ask(Kind::kTimeLeft, 1), remaining + 1);
  Pass(absl::Seconds(remaining + 2));
  EXPECT_FALSE(Exists(1));
}

// Each of them counts on from the checkpoint of the one before (etcd issue 13508).
TEST_F(LessorTest, TwentyLeadersDoNotKeepALongLeaseAlive) {
  Grant(1, 3600);
  const Instant granted = clock_.Now();
  Instant end;
  for (uint64_t term = 2; term <= 21; ++term) {
    Pass(absl::Minutes(6));
    if (end == Instant() && !Exists(1)) end = clock_.Now();
    Lead(Term{term});
  }
  EXPECT_FALSE(Exists(1));
  EXPECT_GE(end - granted, absl::Seconds(3600));
  EXPECT_LE(end - granted, absl::Seconds(3600) * 6 / 5 + absl::Minutes(7));
}

TEST_F(LessorTest, ARenewalCountsOnlyWhenItsCheckpointIsCleared) {
  Grant(1, 3600);
  Pass(absl::Minutes(6));
  ASSERT_NE(Find(1)->remaining_ttl_seconds, 0);
  replica_->holds = true;
  const Answer answer = Begin(Kind::kRenew, {1});
  Settle();
  EXPECT_EQ(Only(answer), -2);
  replica_->Release();
  Settle();
  EXPECT_EQ(Only(answer), 3600);
  EXPECT_EQ(Find(1)->remaining_ttl_seconds, 0);

  replica_->holds = false;
  const int proposals = instant_->proposals();
  EXPECT_EQ(Ask(Kind::kRenew, 1), 3600);
  EXPECT_EQ(instant_->proposals(), proposals) << "there is nothing left to clear";
}

TEST_F(LessorTest, ARenewalWhoseCheckpointIsNotClearedDoesNotCount) {
  Grant(1, 3600);
  Pass(absl::Minutes(6));
  replica_->holds = true;
  const Answer answer = Begin(Kind::kRenew, {1});
  Settle();
  replica_->Answer(raft::OutcomeUnknown{raft::OutcomeUnknown::Reason::kDeadline});
  Settle();
  EXPECT_EQ(Only(answer), -3);
  EXPECT_TRUE(Is(error_, kErrNotLeader)) << error_;
}

// To clear the checkpoint may take its time, and that is not the client's.
TEST_F(LessorTest, ARenewalThatClearsACheckpointPromisesTheTimeFromItsAnswerOn) {
  Grant(1, 3600);
  Pass(absl::Minutes(6));
  replica_->holds = true;
  const Answer answer = Begin(Kind::kRenew, {1});
  Pass(absl::Seconds(4));
  EXPECT_EQ(Only(answer), -2);
  replica_->holds = false;
  replica_->Release();
  Settle();
  EXPECT_EQ(Only(answer), 3600);
  EXPECT_EQ(Ask(Kind::kTimeLeft, 1), 3600);
}

// The process stands still before it hears that the checkpoint is cleared; see
// AnOldConfirmationDoesNotCount.
TEST_F(LessorTest, AnOldConfirmationDoesNotCountWhenACheckpointIsCleared) {
  Grant(1, 3600);
  Pass(absl::Minutes(6));
  replica_->holds = true;
  const Answer answer = Begin(Kind::kRenew, {1});
  Settle();
  replica_->Release();
  replica_executor_->RunDue();
  clock_.Advance(absl::Seconds(10));
  instant_->FailNextBarrier(absl::DeadlineExceededError("no leader"));
  Settle();
  EXPECT_EQ(Only(answer), -3);
  EXPECT_TRUE(Is(error_, kErrNotLeader)) << error_;
}

// The checkpoint is on its way when the renewal comes: it would take effect after it.
TEST_F(LessorTest, ARenewalAlsoClearsACheckpointThatIsUnderWay) {
  Grant(1, 3600);
  replica_->holds = true;
  Pass(absl::Minutes(5));
  ASSERT_EQ(replica_->held(), 1u);
  const Answer answer = Begin(Kind::kRenew, {1});
  Settle();
  EXPECT_EQ(Only(answer), -2);
  replica_->Release();
  Settle();
  EXPECT_EQ(Only(answer), 3600);
  EXPECT_EQ(Find(1)->remaining_ttl_seconds, 0);
}

TEST_F(LessorTest, ACheckpointOfAFormerLeaderHasNoEffect) {
  Grant(1, 3600);
  replica_->holds = true;
  Pass(absl::Minutes(5));
  ASSERT_EQ(replica_->held(), 1u);
  instant_->SetTerm(Term{2});
  replica_->Release();
  Settle();
  EXPECT_EQ(Find(1)->remaining_ttl_seconds, 0);
}

// ---- many

TEST_F(LessorTest, TenThousandLeasesEndInOneSecond) {
  constexpr int kLeases = 10'000;
  for (int i = 1; i <= kLeases; ++i) Grant(i, 10);
  Lead(Term{2});  // all of them end in the same moment now
  replica_->holds = true;
  Pass(absl::Milliseconds(10'700));
  EXPECT_EQ(replica_->held(), 0u);
  for (int i = 0; i < 10 && Exists(kLeases); ++i) {
    Pass(kStep);
    while (replica_->held() > 0) {
      replica_->Release();
      Settle();
    }
  }
  int left = 0;
  const absl::Status read =
      ForEachLease(store_->View()->records(), [&](LeaseId, const LeaseState&) { ++left; });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(left, 0);
  EXPECT_EQ(replica_->most_held, Lessor::kRevocationsMax);
}

TEST_F(LessorTest, CheckpointsOfManyGoTogether) {
  constexpr int kLeases = 2500;
  for (int i = 1; i <= kLeases; ++i) Grant(i, 3600);
  Lead(Term{2});
  const int proposals = instant_->proposals();
  Pass(absl::Minutes(6));
  for (int i = 1; i <= kLeases; ++i) ASSERT_NE(Find(i)->remaining_ttl_seconds, 0) << i;
  EXPECT_EQ(instant_->proposals() - proposals, 3);
}

TEST_F(LessorTest, QuestionsThatWaitAreBounded) {
  Grant(1, 10);
  const Answer many = Begin(Kind::kRenew, std::vector<int64_t>(Lessor::kAskedMax, 1));
  const Answer more = Begin(Kind::kRenew, {1});
  Settle();
  EXPECT_EQ(Only(many), 10);
  EXPECT_EQ(Only(more), -3);
  EXPECT_TRUE(Is(error_, kErrRequestTooManyRequests)) << error_;
  EXPECT_EQ(Ask(Kind::kRenew, 1), 10) << "there is room again";
}

}  // namespace
}  // namespace pontoon::kv
