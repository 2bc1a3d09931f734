// The core alone: what it promises to its owner, and what it bears from the network. How cores work
// together is told by the scenarios in testdata/.

#include "raft/core/raft_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "raft/base/prng.h"

namespace pontoon::raft {
namespace {

constexpr size_t kNodes = 3;

MembershipHistory FoundedBy(std::vector<NodeId> voters, std::vector<NodeId> learners = {}) {
  return MembershipHistory(
      {.index = {},
       .request = {},
       .membership = {.voters = std::move(voters), .learners = std::move(learners)}});
}

MembershipHistory ThreeVoters() { return FoundedBy({NodeId(1), NodeId(2), NodeId(3)}); }

RestoredState Fresh() {
  return {.hard_state = {},
          .base = {},
          .last = {},
          .terms = {},
          .applied = {},
          .memberships = ThreeVoters()};
}

CoreOptions OptionsOf(NodeId self) {
  CoreOptions options;
  options.self = self;
  return options;
}

Instant At(int64_t ms) { return Instant::FromNanos((1000 + ms) * 1'000'000); }

// Node 1 of three with a disk that keeps everything at once.
class RaftCoreTest : public ::testing::Test {
 protected:
  explicit RaftCoreTest(const RestoredState& restored = Fresh())
      : core_(OptionsOf(NodeId(1)), restored, At(0)) {
    Drain();
  }

  void Receive(NodeId from, uint64_t term, MessageBody body) {
    core_.OnMessage(now_, {from, NodeId(1), Term(term), std::move(body)});
    Drain();
  }
  void Drain() {
    while (core_.HasReady()) {
      Ready ready = core_.TakeReady();
      for (Message& message : ready.messages) sent_.push_back(std::move(message));
      reads_.insert(reads_.end(), ready.log_reads.begin(), ready.log_reads.end());
      if (ready.persist) core_.OnPersisted(now_, ready.persist->seq);
    }
  }
  // As soon as it may; node 2 would vote for it.
  void Campaign() {
    now_ = core_.NextDeadline();
    core_.OnDeadline(now_);
    Drain();
    Receive(NodeId(2), core_.term().Next().value(), PreVoteResponse{.granted = true});
    ASSERT_EQ(core_.role(), Role::kCandidate);
  }
  void Win() {
    Campaign();
    Receive(NodeId(2), 1, VoteResponse{.granted = true});
    ASSERT_EQ(core_.role(), Role::kLeader);
    sent_.clear();
  }

  Instant now_ = At(0);
  RaftCore core_;
  std::vector<Message> sent_;
  std::vector<LogReadRequest> reads_;
};

TEST_F(RaftCoreTest, ADeadlineThatIsNotDueDoesNothing) {
  core_.OnDeadline(core_.NextDeadline() - absl::Nanoseconds(1));
  EXPECT_FALSE(core_.HasReady());
  EXPECT_EQ(core_.role(), Role::kFollower);
}

TEST_F(RaftCoreTest, TheElectionTimeoutLiesBetweenOneAndOneAndAHalf) {
  std::set<Instant> seen;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CoreOptions options = OptionsOf(NodeId(1));
    options.seed = seed;
    RaftCore core(options, Fresh(), At(0));
    core.OnMessage(At(0), {NodeId(2), NodeId(1), Term(1), Heartbeat{}});
    EXPECT_GE(core.NextDeadline(), At(0) + options.election_timeout);
    EXPECT_LT(core.NextDeadline(), At(0) + 1.5 * options.election_timeout);
    seen.insert(core.NextDeadline());
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST_F(RaftCoreTest, ANodeThatHasJustStartedAsksSoon) {
  const CoreOptions options = OptionsOf(NodeId(1));
  const Instant grown = At(0) + options.election_timeout;
  int asked = 0;
  while (now_ < grown) {
    const absl::Duration wait = core_.NextDeadline() - now_;
    EXPECT_GE(wait, options.heartbeat_interval);
    EXPECT_LT(wait, 2 * options.heartbeat_interval);
    now_ = core_.NextDeadline();
    core_.OnDeadline(now_);
    EXPECT_EQ(core_.role(), Role::kPreCandidate);
    ++asked;
  }
  EXPECT_GE(asked, 5);
  EXPECT_GE(core_.NextDeadline() - now_, options.election_timeout) << "then it knows patience";
  EXPECT_EQ(core_.term(), Term()) << "to ask binds nobody";
}

TEST_F(RaftCoreTest, ANodeThatHasJustStartedDoesNotAskBeforeItsPromiseIsOver) {
  CoreOptions options = OptionsOf(NodeId(1));
  options.lease_duration = 0.7 * options.election_timeout;
  RestoredState restored = Fresh();
  restored.hard_state = {.term = Term(1), .vote = kNoNode};  // an earlier life may have promised
  RaftCore core(options, restored, At(0));
  Instant now = At(0);
  while (core.role() == Role::kFollower) {
    now = core.NextDeadline();
    core.OnDeadline(now);
  }
  EXPECT_GE(now, At(0) + options.VotePromise());
  EXPECT_LT(now, At(0) + options.VotePromise() + options.heartbeat_interval);
}

TEST_F(RaftCoreTest, AnElectionThatNobodyWonIsRepeatedSoonButOnlyOnce) {
  const absl::Duration timeout = OptionsOf(NodeId(1)).election_timeout;
  const auto wait = [&] { return core_.NextDeadline() - now_; };
  Campaign();
  EXPECT_GE(wait(), timeout / 4);
  EXPECT_LT(wait(), timeout / 2);
  Campaign();
  EXPECT_GE(wait(), timeout);
  Campaign();
  EXPECT_GE(wait(), timeout);

  Receive(NodeId(2), core_.term().value(), Heartbeat{});
  ASSERT_EQ(core_.leader(), NodeId(2));
  Campaign();
  EXPECT_LT(wait(), timeout / 2);
}

TEST_F(RaftCoreTest, TheSameCallsGiveTheSameRun) {
  RaftCore other(OptionsOf(NodeId(1)), Fresh(), At(0));
  EXPECT_EQ(core_.NextDeadline(), other.NextDeadline());
}

TEST_F(RaftCoreTest, TheOnlyVoterCampaignsAtOnce) {
  RestoredState restored = Fresh();
  restored.memberships = FoundedBy({NodeId(1)}, {NodeId(2)});
  EXPECT_EQ(RaftCore(OptionsOf(NodeId(1)), restored, At(0)).NextDeadline(), At(0));
  EXPECT_EQ(RaftCore(OptionsOf(NodeId(2)), restored, At(0)).NextDeadline(),
            Instant::InfiniteFuture());
}

TEST_F(RaftCoreTest, TheOnlyVoterWaitsForItsDiskWithPatience) {
  RestoredState restored = Fresh();
  restored.memberships = FoundedBy({NodeId(1)});
  RaftCore core(OptionsOf(NodeId(1)), restored, At(0));
  core.OnDeadline(At(0));
  const Ready ready = core.TakeReady();
  ASSERT_TRUE(ready.persist);
  EXPECT_GE(core.NextDeadline(), At(0) + OptionsOf(NodeId(1)).election_timeout);
  core.OnPersisted(At(1), ready.persist->seq);
  while (core.HasReady()) core.TakeReady();
  EXPECT_EQ(core.role(), Role::kLeader);
  EXPECT_EQ(core.term(), Term(1));
}

TEST_F(RaftCoreTest, ANodeThatIsNoMemberIsSilent) {
  RestoredState restored = Fresh();
  restored.memberships = FoundedBy({NodeId(2), NodeId(3)});
  RaftCore core(OptionsOf(NodeId(1)), restored, At(0));
  EXPECT_EQ(core.NextDeadline(), Instant::InfiniteFuture());
}

TEST_F(RaftCoreTest, WithoutALeaderNothingIsTaken) {
  EXPECT_EQ(core_.Propose(now_, {}), TakenInTerm(Refusal::kNoLeader));
  EXPECT_EQ(core_.BeginRead(now_, ReadId(1), ReadMode::kQuorum), TakenInTerm(Refusal::kNoLeader));
  EXPECT_FALSE(core_.TransferLeadership(now_, NodeId(2)));
}

TEST_F(RaftCoreTest, MessagesForOthersOrFromNobodyAreIgnored) {
  core_.OnMessage(now_, {NodeId(2), NodeId(3), Term(5), Heartbeat{}});
  core_.OnMessage(now_, {kNoNode, NodeId(1), Term(5), Heartbeat{}});
  core_.OnMessage(now_, {NodeId(1), NodeId(1), Term(5), Heartbeat{}});
  EXPECT_FALSE(core_.HasReady());
  EXPECT_EQ(core_.term(), Term(0));
}

TEST_F(RaftCoreTest, TheLeaderKnowsItsPeers) {
  EXPECT_TRUE(core_.peer_states().empty());
  Win();
  Receive(NodeId(2), 1, AppendAccepted{.match = LogIndex(1)});
  const auto peers = core_.peer_states();
  ASSERT_EQ(peers.size(), kNodes - 1);
  EXPECT_EQ(peers[0].match, LogIndex(1));
  EXPECT_EQ(peers[0].last_contact, now_);
  EXPECT_EQ(peers[1].match, LogIndex(0));
  EXPECT_EQ(peers[1].last_contact, Instant::InfinitePast());
  EXPECT_EQ(core_.commit(), LogIndex(1));
}

TEST_F(RaftCoreTest, AMatchBeyondTheLogIsIgnored) {
  Win();
  Receive(NodeId(2), 1, AppendAccepted{.match = LogIndex(9)});
  EXPECT_EQ(core_.commit(), LogIndex(0));
  EXPECT_EQ(core_.peer_states()[0].match, LogIndex(0));
}

TEST_F(RaftCoreTest, AnAnswerToAFutureRoundIsIgnored) {
  Win();
  Receive(NodeId(2), 1, AppendAccepted{.match = LogIndex(1)});
  Receive(NodeId(2), 1, HeartbeatAck{RoundId(99), true, LogIndex()});
  core_.BeginRead(now_, ReadId(1), ReadMode::kQuorum);
  Ready ready = core_.TakeReady();
  EXPECT_TRUE(ready.reads_granted.empty());
}

TEST_F(RaftCoreTest, EntriesThatDoNotFollowEachOtherAreNotTaken) {
  const auto entry = [](uint64_t index, uint64_t term) {
    return Entry{.index = LogIndex(index),
                 .term = Term(term),
                 .kind = EntryKind::kNoOp,
                 .request = {},
                 .payload = nullptr};
  };
  const std::vector<Entry> kUnsound[] = {
      {entry(2, 1)},               // a gap after prev
      {entry(1, 1), entry(3, 1)},  // a gap
      {entry(1, 1), entry(1, 1)},  // twice
      {entry(1, 2), entry(2, 1)},  // terms fall
      {entry(1, 9)},               // of a later term than the message
  };
  for (const std::vector<Entry>& entries : kUnsound) {
    Receive(NodeId(2), 3, AppendRequest{.prev = {}, .entries = entries, .commit = LogIndex(0)});
    EXPECT_EQ(core_.last_index(), LogIndex(0));
  }
}

TEST_F(RaftCoreTest, ACommittedEntryIsNotReplacedWhateverIsAsked) {
  const Entry first{.index = LogIndex(1),
                    .term = Term(1),
                    .kind = EntryKind::kNoOp,
                    .request = {},
                    .payload = nullptr};
  Receive(NodeId(2), 1, AppendRequest{.prev = {}, .entries = {first}, .commit = LogIndex(1)});
  EXPECT_EQ(core_.commit(), LogIndex(1));
  Entry other = first;
  other.term = Term(2);
  sent_.clear();
  Receive(NodeId(3), 2, AppendRequest{.prev = {}, .entries = {other}, .commit = LogIndex(1)});
  EXPECT_TRUE(sent_.empty()) << "no honest leader asks for this; it gets no answer";
  EXPECT_EQ(core_.last_index(), LogIndex(1));
}

// ---- promises to a leader

// The leader's clock may be as slow, and this node's as fast, as their error allows: 0.9 seconds on
// the one are 1.1 on the other.
TEST(RaftCore, APromiseLastsUntilTheLeaseHasEndedOnTheSlowestClock) {
  CoreOptions options = OptionsOf(NodeId(1));
  options.lease_duration = absl::Milliseconds(450);
  options.clock_rate_error_max = 0.1;
  RaftCore core(options, Fresh(), At(0));
  const auto would_vote = [&](Instant now) {
    core.OnMessage(now, {NodeId(3), NodeId(1), Term(2), PreVoteRequest{}});
    bool granted = false;
    for (const Message& message : core.TakeReady().messages) {
      const auto* response = std::get_if<PreVoteResponse>(&message.body);
      if (response) granted = response->granted;
    }
    return granted;
  };
  core.OnMessage(At(10), {NodeId(2), NodeId(1), Term(1), Heartbeat{}});
  core.OnPersisted(At(10), core.TakeReady().persist->seq);
  core.OnPeerDown(At(20), NodeId(2));
  EXPECT_FALSE(would_vote(At(10 + 549)));
  EXPECT_TRUE(would_vote(At(10 + 550)));
}

// ---- handing over to a preferred node

// Node 1 leads the others, which have its log, answer its heartbeats, and never take over.
class HandOverTest : public RaftCoreTest {
 protected:
  void SetUp() override {
    Win();
    elected_ = now_;
    for (const NodeId node : {NodeId(2), NodeId(3)}) {
      Receive(node, 1, AppendAccepted{.match = LogIndex(1)});
    }
  }
  // When attempts are made from now on until `end`; all in election timeouts after the election.
  std::vector<int64_t> AttemptsUntil(int64_t end) {
    const absl::Duration timeout = OptionsOf(NodeId(1)).election_timeout;
    std::vector<int64_t> attempts;
    while (core_.NextDeadline() <= elected_ + end * timeout) {
      now_ = core_.NextDeadline();
      core_.OnDeadline(now_);
      sent_.clear();
      Drain();
      for (const Message& message : std::exchange(sent_, {})) {
        if (const auto* heartbeat = std::get_if<Heartbeat>(&message.body)) {
          Receive(message.to, 1, Ack(message.to, heartbeat->round));
        } else if (std::holds_alternative<TimeoutNow>(message.body)) {
          EXPECT_EQ(message.to, preferred_);
          attempts.push_back((now_ - elected_) / timeout);
        }
      }
    }
    return attempts;
  }
  HeartbeatAck Ack(NodeId node, RoundId round) const {
    return {.round = round,
            .log_verified = true,
            .needs_snapshot_of = {},
            .priority = node == preferred_ ? 1u : 0u};
  }

  Instant elected_;
  NodeId preferred_{2};
};

TEST_F(HandOverTest, ThatComesToNothingIsTriedEverMoreSeldom) {
  EXPECT_EQ(AttemptsUntil(1300), (std::vector<int64_t>{5, 15, 35, 75, 155, 315, 635, 955, 1275}));
}

TEST_F(HandOverTest, ToAnotherNodeIsTriedSoonAgain) {
  ASSERT_EQ(AttemptsUntil(157), (std::vector<int64_t>{5, 15, 35, 75, 155}));
  preferred_ = NodeId(3);
  EXPECT_EQ(AttemptsUntil(171), (std::vector<int64_t>{160, 170}));
}

// ---- a log whose beginning was compacted away

class CompactedTest : public RaftCoreTest {
 protected:
  CompactedTest() : RaftCoreTest(Restored()) {}

  static RestoredState Restored() {
    return {.hard_state = {.term = Term(5), .vote = kNoNode},
            .base = {LogIndex(10), Term(5)},
            .last = LogIndex(10),
            .terms = {},
            .applied = LogIndex(10),
            .memberships = ThreeVoters()};
  }
  static std::vector<Entry> Entries(uint64_t first, uint64_t last, uint64_t term) {
    std::vector<Entry> entries;
    for (uint64_t i = first; i <= last; ++i) {
      entries.push_back({.index = LogIndex(i),
                         .term = Term(term),
                         .kind = EntryKind::kNoOp,
                         .request = {},
                         .payload = nullptr});
    }
    return entries;
  }
};

// B28: an append that begins before the compacted log's base.
TEST_F(CompactedTest, AnAppendAcrossTheBaseAddsWhatIsNew) {
  Receive(
      NodeId(2), 6,
      AppendRequest{
          .prev = {LogIndex(8), Term(5)}, .entries = Entries(9, 12, 5), .commit = LogIndex(11)});
  EXPECT_EQ(core_.last_index(), LogIndex(12));
  EXPECT_EQ(core_.commit(), LogIndex(11));
}

TEST_F(CompactedTest, AnAppendThatEndsBeforeTheBaseIsAcknowledged) {
  Receive(NodeId(2), 6,
          AppendRequest{
              .prev = {LogIndex(3), Term(4)}, .entries = Entries(4, 7, 5), .commit = LogIndex(7)});
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(std::get<AppendAccepted>(sent_[0].body).match, LogIndex(7));
  EXPECT_EQ(core_.last_index(), LogIndex(10));
}

// No leader's log disagrees with what was committed before the base.
TEST_F(CompactedTest, AnAppendThatDisagreesAtTheBaseIsNotTaken) {
  Receive(NodeId(2), 6,
          AppendRequest{
              .prev = {LogIndex(8), Term(1)}, .entries = Entries(9, 12, 1), .commit = LogIndex(8)});
  EXPECT_EQ(core_.last_index(), LogIndex(10));
  EXPECT_TRUE(sent_.empty());
}

// ---- any content is borne

class Garbage {
 public:
  explicit Garbage(uint64_t seed) : prng_(seed) {}

  // Mostly small numbers, near to those that the core has; now and then absurd ones.
  uint64_t Number() {
    if (prng_.Below(50) == 0) return std::numeric_limits<uint64_t>::max() - prng_.Below(3);
    return prng_.Below(8);
  }
  LogPosition Position() { return {LogIndex(Number()), Term(Number())}; }
  bool Coin() { return prng_.Below(2) == 0; }
  uint64_t Below(uint64_t bound) { return prng_.Below(bound); }

  std::vector<Entry> SomeEntries(LogIndex prev) {
    std::vector<Entry> entries;
    LogIndex index = prev.Next();
    Term term(prng_.Below(4));
    for (uint64_t i = prng_.Below(4); i > 0; --i) {
      entries.push_back({.index = prng_.Below(20) == 0 ? LogIndex(Number()) : index,
                         .term = term,
                         .kind = EntryKind::kNoOp,
                         .request = {},
                         .payload = nullptr});
      index = index.Next();
      if (Below(4) == 0) {
        entries.back().kind = EntryKind::kMembership;
        entries.back().payload = SomeMembership();
      }
      if (Coin()) term = term.Next();
    }
    return entries;
  }

  // Of nodes that may be there or not; sometimes none at all.
  Payload SomeMembership() {
    if (Below(5) == 0) return Coin() ? nullptr : std::make_shared<const std::string>("x");
    Membership membership;
    for (uint64_t node = 1; node <= 5; ++node) {
      if (Coin()) membership.voters.push_back(NodeId(node));
      if (Below(4) == 0) membership.outgoing.push_back(NodeId(node));
      if (Below(4) == 0) membership.learners.push_back(NodeId(node));
    }
    return std::make_shared<const std::string>(EncodeMembership(membership));
  }

  std::optional<MembershipHistory::Item> SomeItem() {
    const Payload payload = SomeMembership();
    if (payload == nullptr || !DecodeMembership(*payload).ok()) return std::nullopt;
    return MembershipHistory::Item{LogIndex(Number()), {}, *DecodeMembership(*payload)};
  }

  std::vector<MembershipChange> SomeChanges() {
    std::vector<MembershipChange> changes;
    for (uint64_t i = Below(3); i > 0; --i) {
      changes.push_back({static_cast<MembershipChange::Kind>(Below(8)), NodeId(Below(7))});
    }
    return changes;
  }

  std::optional<LogPosition> SomePosition() {
    if (Coin()) return std::nullopt;
    return Position();
  }

  MessageBody Body() {
    switch (prng_.Below(std::variant_size_v<MessageBody>)) {
      case 0:
        return PreVoteRequest{Position()};
      case 1:
        return PreVoteResponse{Coin()};
      case 2:
        return VoteRequest{.last = Position(), .leader_asked = Coin()};
      case 3:
        return VoteResponse{Coin()};
      case 4: {
        const LogPosition prev = Coin() ? LogPosition{} : Position();
        return AppendRequest{prev, SomeEntries(prev.index), LogIndex(Number())};
      }
      case 5:
        return AppendAccepted{LogIndex(Number())};
      case 6:
        return AppendRejected{LogIndex(Number()), Position()};
      case 7:
        return Heartbeat{LogIndex(Number()), RoundId(Number())};
      case 8:
        return HeartbeatAck{RoundId(Number()), Coin(), LogIndex(Number())};
      case 9:
        return CommitNotice{LogIndex(Number())};
      case 10:
        return StaleTerm{};
      case 11:
        return TimeoutNow{};
      case 12:
        return ForwardProposals{{{{NodeId(Number()), Number()}, nullptr}}};
      case 13:
        return ProposalsRefused{{{NodeId(Number()), Number()}}};
      case 14:
        return ReadRequest{ReadId(Number())};
      case 15:
        return ReadReply{ReadId(Number()), LogIndex(Number())};
      case 16:
        return ReadRefused{ReadId(Number())};
      case 17:
        return SnapshotChunk{.transfer = TransferId(Number()),
                             .position = Position(),
                             .offset = Number(),
                             .bytes = std::make_shared<const std::string>("x"),
                             .last = Coin()};
      case 18:
        return SnapshotAck{.transfer = TransferId(Number()), .received = Number()};
      case 19:
        return ForwardChange{{NodeId(Below(5)), Number()}, SomeChanges()};
      default:
        return ChangeRefused{{NodeId(Number()), Number()}, ChangeRefusal::kBusy};
    }
  }

 private:
  Prng prng_;
};

// The core must not fall over, and must hand the disk a log without gaps, whatever comes.
void RunGarbage(uint64_t seed, const RestoredState& restored) {
  Garbage garbage(seed);
  RaftCore core(OptionsOf(NodeId(1)), restored, At(0));
  LogIndex disk_last = restored.last;
  Instant now = At(0);
  Term term;
  LogIndex commit = core.commit();
  for (int step = 0; step < 300; ++step) {
    now = now + absl::Milliseconds(garbage.Below(100));
    if (garbage.Below(10) == 0) {
      now = std::max(now, std::min(core.NextDeadline(), now + absl::Seconds(10)));
      core.OnDeadline(now);
    } else {
      const uint64_t near = core.term().value() + garbage.Below(2);
      const Term of(garbage.Below(4) == 0 ? garbage.Number() : near);
      core.OnMessage(now, {NodeId(garbage.Below(5)), NodeId(1), of, garbage.Body()});
    }
    while (core.HasReady()) {
      const Ready ready = core.TakeReady();
      for (const ReceivedChunk& received : ready.chunks) {
        core.OnSnapshotReceived(now, received.leader, received.term, received.chunk.position,
                                garbage.SomeItem());
      }
      for (const SnapshotRequest& request : ready.snapshots_wanted) {
        core.OnSnapshotSent(now, request.peer, request.term, garbage.SomePosition());
      }
      if (!ready.persist) continue;
      if (ready.persist->reset_to) disk_last = ready.persist->reset_to->index;
      if (ready.persist->truncate_from) disk_last = ready.persist->truncate_from->Prev();
      for (const Entry& entry : ready.persist->entries) {
        ASSERT_EQ(entry.index, disk_last.Next()) << "seed " << seed;
        disk_last = entry.index;
      }
      if (garbage.Below(4) != 0) core.OnPersisted(now, ready.persist->seq);
    }
    ASSERT_GE(core.term(), term);
    ASSERT_GE(core.commit(), commit);
    term = core.term();
    commit = core.commit();
  }
}

TEST(Garbage, IsBorneByAFreshNode) {
  for (uint64_t seed = 1; seed <= 1000; ++seed) RunGarbage(seed, Fresh());
}

TEST(Garbage, IsBorneByANodeWithACompactedLog) {
  const RestoredState restored{.hard_state = {.term = Term(4), .vote = kNoNode},
                               .base = {LogIndex(3), Term(2)},
                               .last = LogIndex(5),
                               .terms = {{LogIndex(4), Term(3)}},
                               .applied = LogIndex(3),
                               .memberships = ThreeVoters()};
  for (uint64_t seed = 1; seed <= 1000; ++seed) RunGarbage(seed, restored);
}

// ---- appends that gather

class GatheringTest : public RaftCoreTest {
 protected:
  void SetUp() override {
    Win();
    Receive(NodeId(2), 1, AppendAccepted{LogIndex(1)});
    Receive(NodeId(3), 1, AppendAccepted{LogIndex(1)});
    Propose("a");
    ASSERT_EQ(AppendsTo(NodeId(2)), 1u);
  }
  void Propose(const std::string& payload) {
    sent_.clear();
    const Proposal proposal{{NodeId(1), ++sequence_}, std::make_shared<std::string>(payload)};
    ASSERT_TRUE(std::holds_alternative<Term>(core_.Propose(now_, {proposal})));
    Drain();
  }
  size_t AppendsTo(NodeId node) const {
    return std::count_if(sent_.begin(), sent_.end(), [&](const Message& m) {
      return m.to == node && std::holds_alternative<AppendRequest>(m.body);
    });
  }
  // Of the only append to `node` that was sent.
  size_t EntriesTo(NodeId node) const {
    for (const Message& m : sent_) {
      const auto* append = std::get_if<AppendRequest>(&m.body);
      if (append && m.to == node) return append->entries.size();
    }
    return 0;
  }

  uint64_t sequence_ = 0;
};

TEST_F(GatheringTest, EntriesWaitForTheAnswerToTheLastAppend) {
  Propose("b");
  Propose("c");
  EXPECT_EQ(AppendsTo(NodeId(2)), 0u);
  Receive(NodeId(2), 1, AppendAccepted{LogIndex(2)});
  EXPECT_EQ(EntriesTo(NodeId(2)), 2u);
  EXPECT_EQ(AppendsTo(NodeId(3)), 0u) << "which has not answered";
}

TEST_F(GatheringTest, NotForLong) {
  Propose("b");
  ASSERT_EQ(AppendsTo(NodeId(2)), 0u);
  now_ = now_ + OptionsOf(NodeId(1)).append_gather_delay;
  EXPECT_LE(core_.NextDeadline(), now_);
  core_.OnDeadline(now_);
  Drain();
  EXPECT_EQ(EntriesTo(NodeId(2)), 1u);
  EXPECT_GT(core_.NextDeadline(), now_);
}

TEST_F(GatheringTest, AMessageFullIsSentAtOnce) {
  Propose(std::string(OptionsOf(NodeId(1)).append_gather_bytes, 'x'));
  EXPECT_EQ(EntriesTo(NodeId(2)), 1u);
}

// ---- entries that are read back from the log

// Node 1 leads in term 2, with five entries of term 1 on its disk. Node 3 has none of them.
class LogReadTest : public RaftCoreTest {
 protected:
  LogReadTest() : RaftCoreTest(Restored()) {}

  static RestoredState Restored() {
    RestoredState restored = Fresh();
    restored.hard_state.term = Term(1);
    restored.last = LogIndex(5);
    restored.terms = {{LogIndex(1), Term(1)}};
    return restored;
  }
  void SetUp() override {
    now_ = core_.NextDeadline();
    core_.OnDeadline(now_);
    Drain();
    Receive(NodeId(2), 2, PreVoteResponse{.granted = true});
    Receive(NodeId(2), 2, VoteResponse{.granted = true});
    ASSERT_EQ(core_.role(), Role::kLeader);
    Receive(NodeId(3), 2, AppendRejected{.rejected = LogIndex(5), .hint = {}});
    ASSERT_EQ(reads_.size(), 1u);
    sent_.clear();
  }
  void Read(Term term, std::vector<Entry> entries) {
    core_.OnEntriesRead(now_, NodeId(3), term, std::move(entries));
    Drain();
  }
  static Entry First() {
    return {.index = LogIndex(1),
            .term = Term(1),
            .kind = EntryKind::kNoOp,
            .request = {},
            .payload = nullptr};
  }
};

TEST_F(LogReadTest, WhatWasReadIsSent) {
  Read(Term(2), {First()});
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(std::get<AppendRequest>(sent_[0].body).entries.size(), 1u);
}

// This node led before, and what was in its log then may have been replaced.
TEST_F(LogReadTest, WhatWasReadInAnotherTermIsNot) {
  Read(Term(1), {First()});
  EXPECT_TRUE(sent_.empty());
}

TEST_F(LogReadTest, AReadThatFailsIsTriedAgainWithTheNextHeartbeatAndNotBefore) {
  Read(Term(2), {});
  EXPECT_EQ(reads_.size(), 1u);
  now_ = core_.NextDeadline();
  core_.OnDeadline(now_);
  Drain();
  EXPECT_EQ(reads_.size(), 2u);
}

}  // namespace
}  // namespace pontoon::raft
