// What a follower does with snapshots that come from where, or when, none should come, or that its
// log knows already; and when a leader asks for one.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/raft_core.h"

namespace pontoon::raft {
namespace {

constexpr Term kTerm{5};
constexpr NodeId kSelf{1}, kLeader{2}, kOther{3};

LogPosition At(uint64_t index) { return {LogIndex(index), Term(3)}; }

CoreOptions Options() {
  CoreOptions options;
  options.self = kSelf;
  return options;
}

// A disk with the entries after `base` up to `last`, all of term 3.
RestoredState LogOf(uint64_t base, uint64_t last, uint64_t applied) {
  RestoredState restored;
  if (last > 0) restored.hard_state.term = Term(3);
  if (base > 0) restored.base = At(base);
  restored.last = LogIndex(last);
  if (last > base) restored.terms = {{LogIndex(base + 1), Term(3)}};
  restored.applied = LogIndex(applied);
  restored.memberships = MembershipHistory(
      {.index = {}, .request = {}, .membership = {.voters = {kSelf, kLeader, kOther}}});
  return restored;
}

// Follows kLeader. Its disk keeps everything when it is told to.
class RaftCoreSnapshotTest : public ::testing::Test {
 protected:
  explicit RaftCoreSnapshotTest(const RestoredState& restored = LogOf(0, 0, 0))
      : core_(Options(), restored, now_) {
    Take();
  }

  void Hear(MessageBody body) {
    core_.OnMessage(now_, {kLeader, kSelf, kTerm, std::move(body)});
    Take();
  }
  void HearPiece() {
    Hear(SnapshotChunk{.transfer = TransferId(7),
                       .position = At(9),
                       .offset = 0,
                       .bytes = std::make_shared<const std::string>("piece"),
                       .last = false});
  }
  // Where the snapshot was installed, if it was.
  std::optional<LogPosition> Receive(NodeId leader, Term term, LogPosition position) {
    installed_.reset();
    core_.OnSnapshotReceived(now_, leader, term, position, std::nullopt);
    Take();
    return installed_;
  }
  void Take() {
    while (core_.HasReady()) {
      Ready ready = core_.TakeReady();
      pieces_ += ready.chunks.size();
      if (ready.install) installed_ = ready.install;
      if (ready.persist) {
        issued_ = ready.persist->seq;
        last_batch_ = *std::move(ready.persist);
      }
    }
  }
  void Persist() {
    core_.OnPersisted(now_, issued_);
    Take();
  }
  void FollowLeader() {
    Hear(Heartbeat{});
    Persist();
  }

  Instant now_ = Instant::FromNanos(1'000'000'000);
  RaftCore core_;
  PersistSeq issued_;
  PersistBatch last_batch_;
  size_t pieces_ = 0;
  std::optional<LogPosition> installed_;
};

TEST_F(RaftCoreSnapshotTest, OfTheLeaderIsInstalled) {
  FollowLeader();
  EXPECT_EQ(Receive(kLeader, kTerm, At(9)), At(9));
  EXPECT_EQ(core_.commit(), LogIndex(9));
}

TEST_F(RaftCoreSnapshotTest, OfAnEarlierTermIsNot) {
  FollowLeader();
  EXPECT_EQ(Receive(kLeader, Term(4), At(9)), std::nullopt);
}

TEST_F(RaftCoreSnapshotTest, OfAnotherNodeThanTheLeaderIsNot) {
  FollowLeader();
  EXPECT_EQ(Receive(kOther, kTerm, At(9)), std::nullopt);
}

TEST_F(RaftCoreSnapshotTest, OfAnEarlierStateIsNot) {
  FollowLeader();
  ASSERT_EQ(Receive(kLeader, kTerm, At(9)), At(9));
  EXPECT_EQ(Receive(kLeader, kTerm, At(9)), std::nullopt);
  EXPECT_EQ(Receive(kLeader, kTerm, At(8)), std::nullopt);
  EXPECT_EQ(core_.log_base(), At(9));
}

// A node that came back with the state and without the term could not be told from one that lost
// its votes.
TEST_F(RaftCoreSnapshotTest, NoPieceCountsBeforeItsTermIsDurable) {
  HearPiece();
  EXPECT_EQ(pieces_, 0u);
  Persist();
  HearPiece();
  EXPECT_EQ(pieces_, 1u);
}

// ---- a log that goes on after the snapshot's position

class RaftCoreSnapshotIntoLogTest : public RaftCoreSnapshotTest {
 protected:
  explicit RaftCoreSnapshotIntoLogTest(const RestoredState& restored = LogOf(0, 12, 0))
      : RaftCoreSnapshotTest(restored) {}
};

// What follows the position may be of a leader whose entries were never committed.
TEST_F(RaftCoreSnapshotIntoLogTest, VerifiesNothingBehindIt) {
  FollowLeader();
  EXPECT_EQ(Receive(kLeader, kTerm, At(9)), std::nullopt) << "the entries are applied instead";
  Hear(Heartbeat{.commit = LogIndex(12), .round = {}});
  EXPECT_EQ(core_.commit(), LogIndex(9));
  Hear(AppendRequest{.prev = At(12), .entries = {}, .commit = LogIndex(12)});
  EXPECT_EQ(core_.commit(), LogIndex(12));
}

// The disk forgets the whole log: what it was to drop before goes with that.
TEST_F(RaftCoreSnapshotIntoLogTest, VoidsATruncationThatTheDiskWasNotToldOf) {
  FollowLeader();
  const Entry other{.index = LogIndex(8),
                    .term = Term(4),
                    .kind = EntryKind::kNoOp,
                    .request = {},
                    .payload = nullptr};
  core_.OnMessage(now_, {kLeader, kSelf, kTerm, AppendRequest{At(7), {other}, LogIndex()}});
  EXPECT_EQ(Receive(kLeader, kTerm, {LogIndex(15), Term(4)}), (LogPosition{LogIndex(15), Term(4)}));
  EXPECT_EQ(last_batch_.reset_to, (LogPosition{LogIndex(15), Term(4)}));
  EXPECT_EQ(last_batch_.truncate_from, std::nullopt);
  EXPECT_TRUE(last_batch_.entries.empty());
}

// Its log begins after the entry 5, and the state before that is lost.
class RaftCoreSnapshotIntoGapTest : public RaftCoreSnapshotIntoLogTest {
 protected:
  RaftCoreSnapshotIntoGapTest() : RaftCoreSnapshotIntoLogTest(LogOf(5, 12, 0)) {}
};

TEST_F(RaftCoreSnapshotIntoGapTest, VerifiesNothingBehindIt) {
  FollowLeader();
  EXPECT_EQ(Receive(kLeader, kTerm, At(9)), At(9));
  EXPECT_EQ(core_.last_index(), LogIndex(12));
  Hear(Heartbeat{.commit = LogIndex(12), .round = {}});
  EXPECT_EQ(core_.commit(), LogIndex(9));
  Hear(AppendRequest{.prev = At(12), .entries = {}, .commit = LogIndex(12)});
  EXPECT_EQ(core_.commit(), LogIndex(12));
}

// ---- on the leader

constexpr NodeId kLagging{2}, kLearner{4};

// Leads kOther, kLagging and kLearner, with a log that begins after the entry 10. The disk keeps
// everything at once.
class SnapshotsWantedTest : public ::testing::Test {
 protected:
  SnapshotsWantedTest() : core_(Options(), Restored(), now_) {}

  static RestoredState Restored() {
    RestoredState restored = LogOf(10, 10, 10);
    restored.hard_state.term = Term(4);
    restored.memberships = MembershipHistory(
        {.index = {},
         .request = {},
         .membership = {.voters = {kSelf, kLagging, kOther}, .learners = {kLearner}}});
    return restored;
  }
  void SetUp() override {
    Take();
    now_ = core_.NextDeadline();
    core_.OnDeadline(now_);
    Take();
    Hear(kOther, PreVoteResponse{.granted = true});
    Hear(kOther, VoteResponse{.granted = true});
    Hear(kOther, AppendAccepted{.match = LogIndex(11)});
    ASSERT_EQ(core_.role(), Role::kLeader);
  }

  void Hear(NodeId from, MessageBody body) {
    core_.OnMessage(now_, {from, kSelf, kTerm, std::move(body)});
    Take();
  }
  // kLagging refuses the first append: it has nothing after the entry 5.
  void LackEntries() { Hear(kLagging, AppendRejected{.rejected = LogIndex(10), .hint = At(5)}); }
  // kLagging has a log that begins after `base`, and no state.
  void LackState(uint64_t base) { Hear(kLagging, AckWithoutState(base)); }
  HeartbeatAck AckWithoutState(uint64_t base) const {
    return {.round = round_, .log_verified = true, .needs_snapshot_of = LogIndex(base)};
  }
  HeartbeatAck Ack() const { return AckWithoutState(0); }  // but with it
  // One heartbeat interval goes by, and the heartbeat reaches those.
  void Beat(const std::vector<NodeId>& reached) {
    now_ = now_ + Options().heartbeat_interval;
    core_.OnDeadline(now_);
    Take();
    for (const NodeId node : reached) Hear(node, Ack());
  }
  void ReportSent(Term term, std::optional<LogPosition> position) {
    core_.OnSnapshotSent(now_, kLagging, term, position);
    Take();
  }
  void Take() {
    while (core_.HasReady()) {
      Ready ready = core_.TakeReady();
      wanted_.insert(wanted_.end(), ready.snapshots_wanted.begin(), ready.snapshots_wanted.end());
      for (const Message& message : ready.messages) {
        const auto* heartbeat = std::get_if<Heartbeat>(&message.body);
        if (heartbeat) round_ = heartbeat->round;
        appends_ += message.to == kLagging && std::holds_alternative<AppendRequest>(message.body);
      }
      if (ready.persist) core_.OnPersisted(now_, ready.persist->seq);
    }
  }

  Instant now_ = Instant::FromNanos(1'000'000'000);
  RaftCore core_;
  RoundId round_;
  size_t appends_ = 0;  // to kLagging
  std::vector<SnapshotRequest> wanted_;
};

TEST_F(SnapshotsWantedTest, ForWhoLacksEntriesFromWhereTheLogBegins) {
  LackEntries();
  ASSERT_EQ(wanted_.size(), 1u);
  EXPECT_EQ(wanted_[0].peer, kLagging);
  EXPECT_EQ(wanted_[0].term, kTerm);
  EXPECT_EQ(wanted_[0].at_least, LogIndex(10));
}

TEST_F(SnapshotsWantedTest, ForWhoLacksTheStateFromWhereItsOwnLogBegins) {
  LackState(11);
  ASSERT_EQ(wanted_.size(), 1u);
  EXPECT_EQ(wanted_[0].at_least, LogIndex(11));
}

TEST_F(SnapshotsWantedTest, AreWantedOnce) {
  LackEntries();
  LackState(6);
  Beat({kLagging, kOther});
  LackState(6);
  core_.OnEntriesUnreadable(now_, kLagging, kTerm);
  Take();
  Hear(kLagging, AppendAccepted{.match = LogIndex(8)});
  EXPECT_EQ(wanted_.size(), 1u) << "two entries more are not enough";
}

TEST_F(SnapshotsWantedTest, ForAStateAreWantedOnceAndAgainIfThatFailed) {
  LackState(6);
  Beat({kLagging, kOther});
  LackState(6);
  EXPECT_EQ(wanted_.size(), 1u);
  ReportSent(kTerm, std::nullopt);
  EXPECT_EQ(wanted_.size(), 1u) << "not before the next heartbeat";
  LackState(6);
  EXPECT_EQ(wanted_.size(), 2u);
}

TEST_F(SnapshotsWantedTest, ThatFailedAreWantedAgainWithTheNextHeartbeatAndNotBefore) {
  LackEntries();
  Beat({kLagging, kOther});
  ReportSent(kTerm, std::nullopt);
  EXPECT_EQ(wanted_.size(), 1u);
  Beat({kLagging, kOther});
  EXPECT_EQ(wanted_.size(), 2u);
  Beat({kLagging, kOther});
  EXPECT_EQ(wanted_.size(), 2u);
}

// B68: a follower that is gone is sent nothing, however often the heart beats.
TEST_F(SnapshotsWantedTest, AreNotWantedForWhoIsNotHeardOf) {
  LackEntries();
  const Instant gone = now_ + Options().election_timeout;
  while (now_ < gone) Beat({kOther});
  ReportSent(kTerm, std::nullopt);
  for (int i = 0; i < 20; ++i) Beat({kOther});
  EXPECT_EQ(wanted_.size(), 1u);
  Beat({kLagging, kOther});
  Beat({kLagging, kOther});
  EXPECT_EQ(wanted_.size(), 2u) << "it came back";
}

// Appends that were late have brought what was lacking.
TEST_F(SnapshotsWantedTest, AreNotWantedForWhoHasTheEntriesByNow) {
  LackEntries();
  ReportSent(kTerm, std::nullopt);
  Hear(kLagging, AppendAccepted{.match = LogIndex(10)});
  Beat({kLagging, kOther});
  EXPECT_EQ(wanted_.size(), 1u);
}

// What an earlier leadership of this node asked for says nothing of the present request.
TEST_F(SnapshotsWantedTest, TheFateOfOneOfAnotherTermIsNoNews) {
  LackEntries();
  appends_ = 0;
  ReportSent(Term(4), At(10));
  Beat({kLagging, kOther});
  EXPECT_EQ(appends_, 0u) << "it is still under way";
  ReportSent(Term(4), std::nullopt);
  Beat({kLagging, kOther});
  EXPECT_EQ(wanted_.size(), 1u);
  ReportSent(kTerm, At(10));
  EXPECT_EQ(appends_, 1u);
}

TEST_F(SnapshotsWantedTest, WhatAnotherTermCouldNotReadMakesNoneWanted) {
  core_.OnEntriesUnreadable(now_, kOther, Term(4));
  Take();
  EXPECT_TRUE(wanted_.empty());
  core_.OnEntriesUnreadable(now_, kOther, kTerm);
  Take();
  EXPECT_EQ(wanted_.size(), 1u);
}

// The log was compacted further while it was on its way.
TEST_F(SnapshotsWantedTest, OneThatEndsBeforeTheLogBeginsIsFollowedByAnother) {
  LackEntries();
  appends_ = 0;
  ReportSent(kTerm, At(8));
  EXPECT_EQ(appends_, 0u);
  EXPECT_EQ(wanted_.size(), 2u);
}

TEST_F(SnapshotsWantedTest, WhoLeadsNoMoreWantsNone) {
  core_.OnMessage(now_, {kLagging, kSelf, kTerm, AckWithoutState(6)});
  core_.OnMessage(now_, {kOther, kSelf, Term(6), Heartbeat{}});
  Take();
  EXPECT_TRUE(wanted_.empty());
}

// It could not serve, and would not campaign.
TEST_F(SnapshotsWantedTest, LeadershipIsNotHandedToWhoLacksTheState) {
  Hear(kLagging, AppendAccepted{.match = LogIndex(11)});
  LackState(6);
  EXPECT_FALSE(core_.TransferLeadership(now_, kLagging));
  ASSERT_TRUE(core_.TransferLeadership(now_, kNoNode));
  const Ready ready = core_.TakeReady();
  const bool to_other =
      std::any_of(ready.messages.begin(), ready.messages.end(), [](const Message& message) {
        return message.to == kOther && std::holds_alternative<TimeoutNow>(message.body);
      });
  EXPECT_TRUE(to_other);
}

// A voter must be able to lead.
TEST_F(SnapshotsWantedTest, WhoLacksTheStateIsNotPromoted) {
  const auto promote = [&] {
    const MembershipChange change{MembershipChange::Kind::kPromote, kLearner};
    return core_.ChangeMembership(now_, {kSelf, 1}, {change});
  };
  Hear(kLagging, Ack());
  Hear(kLearner, AppendAccepted{.match = LogIndex(11)});
  Hear(kLearner, AckWithoutState(6));
  EXPECT_EQ(promote(), ChangeTakenInTerm(ChangeRefusal::kLearnerBehind));
  Hear(kLearner, Ack());
  EXPECT_EQ(promote(), ChangeTakenInTerm(kTerm));
}

}  // namespace
}  // namespace pontoon::raft
