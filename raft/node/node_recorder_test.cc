#include "raft/node/node_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pontoon::raft {
namespace {

constexpr NodeId kSelf{1}, kNear{2}, kFar{3};
constexpr absl::Duration kStep = absl::Milliseconds(100);

// A core of three voters, with a disk that keeps everything at once, and its recorder.
class NodeRecorderTest : public ::testing::Test {
 protected:
  NodeRecorderTest()
      : core_(Options(), Fresh(), now_), recorder_(&core_, &instruments_, LogIndex(), now_) {
    Drain();
  }

  static CoreOptions Options() {
    CoreOptions options;
    options.self = kSelf;
    options.lease_duration = absl::Milliseconds(450);
    return options;
  }
  static RestoredState Fresh() {
    return {.hard_state = {},
            .base = {},
            .last = {},
            .terms = {},
            .applied = {},
            .memberships = MembershipHistory(
                {.index = {},
                 .request = {},
                 .membership = {.voters = {kSelf, kNear, kFar}, .learners = {}}})};
  }

  void Drain() {
    while (core_.HasReady()) {
      const Ready ready = core_.TakeReady();
      recorder_.OnReady(now_, ready);
      for (const Message& message : ready.messages) {
        if (const auto* beat = std::get_if<Heartbeat>(&message.body)) round_ = beat->round;
      }
      if (ready.persist) core_.OnPersisted(now_, ready.persist->seq);
    }
  }
  void Receive(NodeId from, Term term, MessageBody body) {
    Message message{from, kSelf, term, std::move(body)};
    recorder_.OnMessage(now_, message);
    core_.OnMessage(now_, std::move(message));
    Drain();
  }
  void PassTime(absl::Duration time) { now_ = now_ + time; }
  void WaitForDeadline() {
    now_ = core_.NextDeadline();
    core_.OnDeadline(now_);
    Drain();
  }
  void Win() {
    Receive(kNear, core_.term().Next(), PreVoteResponse{.granted = true});
    Receive(kNear, core_.term(), VoteResponse{.granted = true});
    ASSERT_EQ(core_.role(), Role::kLeader);
  }
  void Propose() {
    std::vector<Proposal> proposals;
    proposals.push_back({{kSelf, ++sequence_}, std::make_shared<const std::string>(100, 'x')});
    core_.Propose(now_, std::move(proposals));
    Drain();
  }
  void Accept(NodeId peer, LogIndex match) { Receive(peer, core_.term(), AppendAccepted{match}); }
  HeartbeatAck Ack() const {
    return {.round = round_, .needs_snapshot_of = {}};  // of the last heartbeat
  }
  uint64_t Elections(ElectionCause cause) const {
    return instruments_.elections[static_cast<size_t>(cause)].value();
  }

  Instant now_ = Instant::FromNanos(1'000'000'000);
  uint64_t sequence_ = 0;
  RoundId round_;  // of the last heartbeat
  NodeInstruments instruments_;
  RaftCore core_;
  NodeRecorder recorder_;
};

TEST_F(NodeRecorderTest, AnElectionAndItsLeaderAreCounted) {
  EXPECT_EQ(instruments_.leader_changes.value(), 0u);
  WaitForDeadline();
  EXPECT_EQ(Elections(ElectionCause::kNoLeaderHeard), 1u);
  Win();
  EXPECT_EQ(instruments_.leader_changes.value(), 1u);
  EXPECT_EQ(Elections(ElectionCause::kNoLeaderHeard), 1u);
  EXPECT_EQ(Elections(ElectionCause::kLeaderGone), 0u);
  EXPECT_EQ(Elections(ElectionCause::kHandOver), 0u);
}

TEST_F(NodeRecorderTest, ALeaderWhoseProcessIsGoneIsACauseOfItsOwn) {
  Receive(kNear, Term(1), Heartbeat{});
  EXPECT_EQ(instruments_.leader_changes.value(), 1u);
  Receive(kNear, Term(1), Heartbeat{});
  EXPECT_EQ(instruments_.leader_changes.value(), 1u);
  core_.OnPeerDown(now_, kNear);
  WaitForDeadline();
  if (core_.role() != Role::kPreCandidate) WaitForDeadline();  // its promise had to pass
  ASSERT_EQ(core_.role(), Role::kPreCandidate);
  EXPECT_EQ(Elections(ElectionCause::kLeaderGone), 1u);
  EXPECT_EQ(Elections(ElectionCause::kNoLeaderHeard), 0u);
}

TEST_F(NodeRecorderTest, AHandOverIsACauseOfItsOwn) {
  Receive(kNear, Term(1), Heartbeat{});
  Receive(kNear, Term(1), TimeoutNow{});
  ASSERT_EQ(core_.role(), Role::kCandidate);
  EXPECT_EQ(Elections(ElectionCause::kHandOver), 1u);
}

TEST_F(NodeRecorderTest, LagIsWhatTheFollowerHasNotAcknowledged) {
  WaitForDeadline();
  Win();
  const LogIndex first = core_.last_index();
  Accept(kNear, first);
  EXPECT_EQ(recorder_.LagOf(first).entries, 0u);
  EXPECT_EQ(recorder_.LagOf(first).since, Instant::InfiniteFuture());
  PassTime(kStep);
  const Instant proposed = now_;
  Propose();
  PassTime(kStep);
  Propose();
  EXPECT_EQ(recorder_.LagOf(first).entries, 2u);
  EXPECT_EQ(recorder_.LagOf(first).bytes, 2 * (100 + Entry::kOverheadBytes));
  EXPECT_EQ(recorder_.LagOf(first).since, proposed);
  EXPECT_EQ(recorder_.LagOf(first.Next()).entries, 1u);
  EXPECT_EQ(recorder_.LagOf(first.Next()).since, proposed + kStep);
}

TEST_F(NodeRecorderTest, WhoIsNotHeardOfIsBehindSinceTheElection) {
  WaitForDeadline();
  Win();
  const Instant elected = now_;
  const LogIndex before = core_.last_index().Prev();
  PassTime(kStep);
  Propose();
  EXPECT_EQ(recorder_.LagOf(LogIndex()).entries, 2u);
  EXPECT_EQ(recorder_.LagOf(LogIndex()).entries_unknown, 0u);
  EXPECT_EQ(recorder_.LagOf(LogIndex()).since, elected);
  EXPECT_EQ(recorder_.LagOf(before).since, elected);
}

TEST_F(NodeRecorderTest, ACommitIsTimedFromItsOldestEntry) {
  WaitForDeadline();
  Win();
  Accept(kNear, core_.last_index());
  const absl::Duration before = instruments_.commits.Read().sum;
  PassTime(kStep);
  Propose();
  PassTime(kStep);
  Propose();
  PassTime(kStep);
  Accept(kNear, core_.last_index());
  EXPECT_EQ(instruments_.commits.Read().sum - before, 2 * kStep);
  EXPECT_EQ(instruments_.commits.Read().count(), 2u);
}

TEST_F(NodeRecorderTest, RoundTripsAreThoseOfThePresentTerm) {
  WaitForDeadline();
  Win();
  PassTime(kStep);
  Receive(kFar, Term(0), Ack());
  EXPECT_EQ(instruments_.round_trips.Read().at(kFar).count(), 0u);
  Receive(kFar, core_.term(), Ack());
  EXPECT_EQ(instruments_.round_trips.Read().at(kFar).count(), 1u);
  EXPECT_EQ(instruments_.round_trips.Read().at(kFar).sum, kStep);
}

TEST_F(NodeRecorderTest, LeaseReadsAreCountedByHowTheyWereAnswered) {
  WaitForDeadline();
  Win();
  core_.BeginRead(now_, ReadId(1), ReadMode::kLease);
  Drain();
  EXPECT_EQ(instruments_.lease_reads_missed.value(), 1u);
  Accept(kNear, core_.last_index());
  Receive(kNear, core_.term(), Ack());
  ASSERT_TRUE(core_.HoldsLease(now_));
  core_.BeginRead(now_, ReadId(2), ReadMode::kLease);
  core_.BeginRead(now_, ReadId(3), ReadMode::kQuorum);
  Drain();
  EXPECT_EQ(instruments_.lease_reads_held.value(), 1u);
  EXPECT_EQ(instruments_.lease_reads_missed.value(), 1u);
}

TEST_F(NodeRecorderTest, TheLastRoleChangesAreKeptWithTheirReasons) {
  WaitForDeadline();
  Win();
  PassTime(kStep);
  const std::vector<PastRoleChange> changes = recorder_.RecentRoleChanges(now_);
  ASSERT_GE(changes.size(), 4u);
  EXPECT_STREQ(changes.front().change.reason, "started");
  EXPECT_EQ(changes.back().change.role, Role::kLeader);
  EXPECT_EQ(changes.back().age, kStep);
  for (uint64_t term = 5; term < 5 + 2 * NodeRecorder::kRoleChangesKept; ++term) {
    Receive(kNear, Term(term), Heartbeat{});
  }
  EXPECT_EQ(recorder_.RecentRoleChanges(now_).size(), NodeRecorder::kRoleChangesKept);
  EXPECT_EQ(recorder_.RecentRoleChanges(now_).back().change.leader, kNear);
}

}  // namespace
}  // namespace pontoon::raft
