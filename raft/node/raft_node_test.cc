// Whole nodes: one on executors that the test turns by hand, and clusters of three on threads.

#include "raft/node/raft_node.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "raft/base/check.h"
#include "raft/env/testing/manual_time.h"
#include "raft/node/testing/cluster_fixture.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;

// ---- one node, turned by hand

class SingleNodeTest : public ::testing::Test {
 protected:
  static constexpr NodeId kSelf{1};

  // Starts, or starts again with an empty state on the same log. Of the voters only this node is
  // there.
  void Start(const std::vector<NodeId>& voters = {kSelf}) {
    node_.reset();
    manual_.clear();
    journal_ = std::make_unique<Journal>();
    RaftNodeExecutors executors;
    for (auto* slot : {&executors.loop, &executors.log_writer, &executors.log_reader,
                       &executors.applier, &executors.snapshots}) {
      auto executor = std::make_unique<ManualExecutor>(&clock_);
      manual_.push_back(executor.get());
      *slot = std::move(executor);
    }
    RaftNodeOptions options = QuickOptions(kSelf, ++lives_);
    options.on_fatal = [this](const absl::Status& error) { fatal_.push_back(error); };
    options.waiting_reads_max = 4;
    options.on_peers = [this](const PeerNews& news) { peers_.push_back(news); };
    node_ = std::make_unique<RaftNode>(
        options, RestoredFrom(log_, {.voters = voters}),
        RaftNodeEnvironment{&clock_, &network_, &log_, journal_.get()}, std::move(executors));
  }
  void StartAndLead() {
    Start();
    Settle();
    ASSERT_EQ(node_->Status().role, Role::kLeader);
  }
  void StartWithoutALeader() { Start({kSelf, NodeId(2)}); }

  // Runs everything that can run now.
  void Settle() {
    bool ran = true;
    while (ran) {
      ran = false;
      for (ManualExecutor* executor : manual_) ran |= executor->RunDue();
    }
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    Settle();
  }
  void SettleOnlyLoop() { manual_[0]->RunDue(); }
  // Lets the time go by while only the loop runs; says in how many milliseconds it did.
  int LoopTurnsIn(absl::Duration time) {
    int turns = 0;
    for (const Instant end = clock_.Now() + time; clock_.Now() < end;) {
      clock_.Advance(absl::Milliseconds(1));
      turns += manual_[0]->RunDue() ? 1 : 0;
    }
    return turns;
  }

  void Propose(const std::string& command, absl::Duration timeout = absl::Seconds(5)) {
    node_->Propose(Command(command), clock_.Now() + timeout,
                   [this, command](ProposeOutcome o) { outcomes_.emplace(command, std::move(o)); });
  }
  void Read(const std::string& name, absl::Duration timeout = absl::Seconds(5)) {
    node_->ReadBarrier(ReadMode::kQuorum, clock_.Now() + timeout,
                       [this, name](absl::Status status) { reads_[name] = status.code(); });
  }
  template <typename Outcome>
  bool Is(const std::string& command, typename Outcome::Reason reason) const {
    const auto found = outcomes_.find(command);
    if (found == outcomes_.end()) return false;
    const auto* outcome = std::get_if<Outcome>(&found->second);
    return outcome != nullptr && outcome->reason == reason;
  }
  bool IsApplied(const std::string& command) const {
    const auto found = outcomes_.find(command);
    return found != outcomes_.end() && std::holds_alternative<Applied>(found->second);
  }

  ManualClock clock_;
  LocalNetwork network_;
  MemoryLog log_;
  std::unique_ptr<Journal> journal_;
  uint64_t lives_ = 0;
  std::vector<absl::Status> fatal_;
  std::vector<PeerNews> peers_;
  std::map<std::string, ProposeOutcome> outcomes_;
  std::map<std::string, absl::StatusCode> reads_;
  std::vector<ManualExecutor*> manual_;
  std::unique_ptr<RaftNode> node_;
};

// With one under way, proposals wait for its news, or for a few milliseconds, and go together.
TEST_F(SingleNodeTest, ProposalsGatherWhileOneIsUnderWay) {
  StartAndLead();
  Propose("a");
  SettleOnlyLoop();  // is on its way to the disk, and nobody will tell of it
  const LogIndex a = node_->Status().last_index;
  Propose("b");
  clock_.Advance(kGatherDelay / 2);
  Propose("c");
  SettleOnlyLoop();
  EXPECT_EQ(node_->Status().last_index, a);
  clock_.Advance(kGatherDelay / 2);
  SettleOnlyLoop();
  EXPECT_EQ(node_->Status().last_index, a + 2) << "as long after b as they may wait";
  Propose("d");
  SettleOnlyLoop();
  EXPECT_EQ(node_->Status().last_index, a + 2);
  clock_.Advance(kGatherDelay);
  SettleOnlyLoop();
  EXPECT_EQ(node_->Status().last_index, a + 3) << "the next ones are not forgotten either";
}

TEST_F(SingleNodeTest, GatheredProposalsGoOnceNothingIsUnderWay) {
  StartAndLead();
  Propose("a");
  SettleOnlyLoop();
  manual_[1]->RunDue();  // the log writer
  SettleOnlyLoop();      // a is committed: the applier has the last news of it
  Propose("b");
  SettleOnlyLoop();
  EXPECT_EQ(node_->Status().last_index, node_->Status().commit);
  Settle();
  EXPECT_TRUE(IsApplied("b")) << "at once, when a is done";
}

// However long they take: without a quorum that may be until their deadline.
TEST_F(SingleNodeTest, ProposalsUnderWayCauseNoTurnsOfTheLoop) {
  StartAndLead();
  const int idle = LoopTurnsIn(absl::Milliseconds(200));
  Propose("a");
  SettleOnlyLoop();
  EXPECT_LE(LoopTurnsIn(absl::Milliseconds(200)), idle + 1);
}

TEST_F(SingleNodeTest, ProposesAndReads) {
  StartAndLead();
  Propose("a");
  Propose("b");
  Settle();
  EXPECT_THAT(journal_->commands(), ElementsAre("a", "b"));
  const auto& b = std::get<Applied>(outcomes_.at("b"));
  EXPECT_EQ(b.position.index, LogIndex(3));
  EXPECT_EQ(dynamic_cast<const Journal::Result&>(*b.result).place, 1u);
  Read("r");
  Settle();
  EXPECT_THAT(reads_, ElementsAre(Pair("r", absl::StatusCode::kOk)));
  const ReplicaStatus status = node_->Status();
  EXPECT_EQ(status.applied, LogIndex(3));
  EXPECT_EQ(status.commit, LogIndex(3));
  EXPECT_EQ(status.leader, kSelf);
}

TEST_F(SingleNodeTest, WhatComesBeforeALeaderWaitsForIt) {
  Start();
  Propose("a");
  Read("r");
  SettleOnlyLoop();
  EXPECT_EQ(node_->Status().role, Role::kCandidate) << "its vote is not on the disk";
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_TRUE(reads_.empty());
  Settle();
  EXPECT_TRUE(IsApplied("a"));
  EXPECT_THAT(reads_, ElementsAre(Pair("r", absl::StatusCode::kOk)));
}

TEST_F(SingleNodeTest, DeadlinesPassWithoutALeader) {
  StartWithoutALeader();
  Propose("a", absl::Milliseconds(10));
  Read("r", absl::Milliseconds(10));
  Settle();
  Advance(absl::Milliseconds(20));
  EXPECT_TRUE(Is<NotApplied>("a", NotApplied::Reason::kNoLeader));
  EXPECT_EQ(reads_["r"], absl::StatusCode::kDeadlineExceeded);
}

TEST_F(SingleNodeTest, WaitingBatchesShareOneWrite) {
  StartAndLead();
  const int writes = log_.writes();
  for (int i = 0; i < 10; ++i) {
    Propose(std::to_string(i));
    clock_.Advance(kGatherDelay);
    SettleOnlyLoop();
  }
  Settle();
  EXPECT_THAT(journal_->commands(), SizeIs(10));
  EXPECT_EQ(log_.writes(), writes + 1);
}

TEST_F(SingleNodeTest, AppliesInBoundedBatches) {
  StartAndLead();
  for (int i = 0; i < 3000; ++i) Propose(std::to_string(i));
  Settle();
  EXPECT_THAT(journal_->commands(), SizeIs(3000));
  EXPECT_THAT(journal_->batches(), Each(Le(Applier::kBatchEntriesMax)));
}

TEST_F(SingleNodeTest, BacklogOfTheApplierIsReadFromTheLog) {
  StartAndLead();
  // More than the applier keeps in memory, in many ranges, while the applier stands still.
  const std::string large(4 << 20, 'x');
  const int count = 12;
  ASSERT_GT(count * large.size(), Applier::kQueuedBytesMax);
  for (int i = 0; i < count; ++i) {
    Propose(std::to_string(i) + large);
    for (int turn = 0; turn < 3; ++turn) {
      manual_[0]->RunDue();
      manual_[1]->RunDue();
    }
  }
  EXPECT_TRUE(journal_->commands().empty());
  Settle();
  const std::vector<std::string> commands = journal_->commands();
  ASSERT_THAT(commands, SizeIs(count));
  for (int i = 0; i < count; ++i) EXPECT_EQ(commands[i], std::to_string(i) + large);
}

TEST_F(SingleNodeTest, RestartAppliesTheLogAgain) {
  StartAndLead();
  for (int i = 0; i < 100; ++i) Propose(std::to_string(i));
  Settle();
  const std::vector<std::string> before = journal_->commands();
  StartAndLead();
  EXPECT_EQ(journal_->commands(), before);
}

// By then what others have said of them before may be out of date.
TEST_F(SingleNodeTest, WhoThePeersAreIsToldAgainOnceThatIsCommitted) {
  StartAndLead();
  peers_.clear();
  node_->ChangeMembership({{MembershipChange::Kind::kUpdate, kSelf, {"http://a:2"}}},
                          clock_.Now() + absl::Seconds(5), [](const ChangeOutcome&) {});
  SettleOnlyLoop();
  const PeerUrls moved = {{kSelf, {"http://a:2"}}};
  const LogIndex change = node_->Status().last_index;
  const LogPosition end{change, node_->Status().term};
  const PeerNews proposed{.urls = moved, .index = change, .commit = change.Prev(), .log_end = end};
  EXPECT_THAT(peers_, ElementsAre(proposed));
  Settle();
  const PeerNews committed{.urls = moved, .index = change, .commit = change, .log_end = end};
  EXPECT_THAT(peers_, ElementsAre(proposed, committed));
  EXPECT_EQ(node_->Status().membership_index, change);
}

// What a peer says of itself is believed or not by the term of the log's end.
TEST_F(SingleNodeTest, WhoThePeersAreIsToldAgainWhenTheLogGetsALaterTerm) {
  StartAndLead();
  const LogPosition end{node_->Status().last_index, node_->Status().term};
  ASSERT_THAT(peers_, SizeIs(Ge(2u)));
  EXPECT_EQ(peers_.front().log_end, LogPosition());
  EXPECT_EQ(peers_.back().log_end, end);
  peers_.clear();
  Propose("a");
  Settle();
  EXPECT_THAT(peers_, IsEmpty());
}

TEST_F(SingleNodeTest, FailedWriteIsFinal) {
  StartAndLead();
  log_.Break();
  Propose("a");
  Settle();
  Propose("b");
  Advance(absl::Seconds(1));
  EXPECT_THAT(fatal_, SizeIs(1));
  EXPECT_TRUE(outcomes_.empty());
}

TEST_F(SingleNodeTest, FailedApplyIsFinal) {
  StartAndLead();
  journal_->Break();
  Propose("a");
  Settle();
  Propose("b");
  Settle();
  EXPECT_THAT(fatal_, SizeIs(1));
  EXPECT_TRUE(outcomes_.empty());
}

TEST_F(SingleNodeTest, StopAnswersEverybody) {
  StartAndLead();
  Propose("under way");
  SettleOnlyLoop();
  Propose("queued");
  Read("r");
  node_->Stop();
  Propose("late");
  Read("late");
  Settle();
  EXPECT_TRUE(Is<OutcomeUnknown>("under way", OutcomeUnknown::Reason::kStopped));
  EXPECT_TRUE(Is<NotApplied>("queued", NotApplied::Reason::kStopped));
  EXPECT_TRUE(Is<NotApplied>("late", NotApplied::Reason::kStopped));
  EXPECT_EQ(reads_["r"], absl::StatusCode::kUnavailable);
  EXPECT_EQ(reads_["late"], absl::StatusCode::kUnavailable);
}

TEST_F(SingleNodeTest, DestructionAnswersEverybody) {
  StartAndLead();
  Propose("a");
  Read("r");
  absl::Status transferred;
  node_->TransferLeadership(kNoNode, clock_.Now() + absl::Seconds(1),
                            [&](absl::Status status) { transferred = status; });
  node_.reset();
  EXPECT_TRUE(Is<NotApplied>("a", NotApplied::Reason::kStopped));
  EXPECT_EQ(reads_["r"], absl::StatusCode::kUnavailable);
  EXPECT_EQ(transferred.code(), absl::StatusCode::kUnavailable);
}

TEST_F(SingleNodeTest, TooManyReadsAreRefused) {
  StartWithoutALeader();
  for (const char* name : {"a", "b", "c", "d", "e"}) Read(name);
  Settle();
  EXPECT_EQ(reads_.size(), 1u);
  EXPECT_EQ(reads_["e"], absl::StatusCode::kResourceExhausted);
}

TEST_F(SingleNodeTest, NobodyToHandOverTo) {
  StartAndLead();
  absl::Status transferred;
  node_->TransferLeadership(kNoNode, clock_.Now() + absl::Seconds(1),
                            [&](absl::Status status) { transferred = status; });
  Settle();
  EXPECT_EQ(transferred.code(), absl::StatusCode::kNotFound);
}

// Stands for the leader: keeps what proposals are forwarded to it.
class ForwardedProposals final : public TransportReceiver {
 public:
  void OnMessages(std::vector<Message> messages) override {
    std::lock_guard lock(mutex_);
    for (const Message& message : messages) {
      const auto* forward = std::get_if<ForwardProposals>(&message.body);
      if (forward == nullptr) continue;
      for (const Proposal& proposal : forward->proposals) requests_.push_back(proposal.request);
      came_.notify_all();
    }
  }
  void OnPeerUnreachable(NodeId) override {}
  void OnPeerDown(NodeId) override {}

  // The request that came as number `place`; nothing if it does not come.
  std::optional<RequestId> Await(size_t place) {
    std::unique_lock lock(mutex_);
    const bool there = came_.wait_for(lock, absl::ToChronoSeconds(kPatience),
                                      [&] { return requests_.size() > place; });
    return there ? std::optional(requests_[place]) : std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<RequestId> requests_;
};

// The new leader is heard of before the old one has said that it took nothing any more.
TEST_F(SingleNodeTest, ALateRefusalDoesNotDelayProposalsToTheNextLeader) {
  ForwardedProposals forwarded;
  network_.Connect(NodeId(2), &forwarded);
  StartWithoutALeader();
  const auto hear = [&](Term term, MessageBody body) {
    node_->OnMessages({Message{NodeId(2), kSelf, term, std::move(body)}});
    Settle();
  };
  hear(Term(5), Heartbeat{.commit = LogIndex(), .round = RoundId(1)});
  Propose("a");
  Settle();
  const auto first = forwarded.Await(0);
  ASSERT_TRUE(first.has_value());
  hear(Term(6), Heartbeat{.commit = LogIndex(), .round = RoundId(1)});
  hear(Term(5), ProposalsRefused{.requests = {*first}});
  EXPECT_TRUE(forwarded.Await(1).has_value()) << "no time has passed on the node's clock";
  network_.Connect(NodeId(2), nullptr);
}

// ---- three nodes, on threads

// Counts outcomes that come from several threads, and waits for them.
class Outcomes {
 public:
  ProposeCallback Expect(const std::string& command) {
    std::lock_guard lock(mutex_);
    ++expected_;
    return [this, command](ProposeOutcome outcome) {
      std::lock_guard lock(mutex_);
      CHECK(outcomes_.emplace(command, std::move(outcome)).second) << command << " answered twice";
      changed_.notify_all();
    };
  }
  void AwaitAll() {
    std::unique_lock lock(mutex_);
    CHECK(changed_.wait_for(lock, absl::ToChronoSeconds(kPatience),
                            [this] { return outcomes_.size() == expected_; }));
  }
  size_t CountApplied() const {
    return std::count_if(outcomes_.begin(), outcomes_.end(), [](const auto& entry) {
      return std::holds_alternative<Applied>(entry.second);
    });
  }
  const std::map<std::string, ProposeOutcome>& all() const { return outcomes_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t expected_ = 0;
  std::map<std::string, ProposeOutcome> outcomes_;
};

TEST_F(ClusterTest, EveryNodeTakesProposalsAndAllApplyTheSame) {
  Outcomes outcomes;
  for (int i = 0; i < 300; ++i) {
    const NodeId id = kIds[i % 3];
    const std::string command = "c" + std::to_string(i);
    node(id).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  outcomes.AwaitAll();
  EXPECT_EQ(outcomes.CountApplied(), 300u);
  for (const NodeId id : kIds) ASSERT_TRUE(Read(id).ok());
  EXPECT_THAT(commands(NodeId(1)), SizeIs(300));
  EXPECT_EQ(commands(NodeId(2)), commands(NodeId(1)));
  EXPECT_EQ(commands(NodeId(3)), commands(NodeId(1)));
}

TEST_F(ClusterTest, ReadOnAnyNodeSeesWhatWasAppliedBefore) {
  for (int i = 0; i < 100; ++i) {
    const std::string command = "c" + std::to_string(i);
    ASSERT_TRUE(std::holds_alternative<Applied>(Propose(kIds[i % 3], command)));
    const NodeId reader = kIds[(i + 1) % 3];
    ASSERT_TRUE(Read(reader).ok());
    EXPECT_EQ(commands(reader).back(), command);
  }
}

// Each command of `outcomes` is in the journal as often as its outcome allows.
void ExpectKept(const Outcomes& outcomes, const std::vector<std::string>& journal) {
  std::map<std::string, int> times;
  for (const std::string& command : journal) ++times[command];
  for (const auto& [command, outcome] : outcomes.all()) {
    if (std::holds_alternative<Applied>(outcome)) {
      EXPECT_EQ(times[command], 1) << command;
    } else if (std::holds_alternative<NotApplied>(outcome)) {
      EXPECT_EQ(times[command], 0) << command;
    } else {
      EXPECT_LE(times[command], 1) << command;
    }
  }
}

TEST_F(ClusterTest, SurvivorsOfTheLeaderApplyEachProposalOnce) {
  for (int round = 0; round < 3; ++round) {
    const NodeId leader = AwaitLeader(NodeId(1));
    const std::vector<NodeId> survivors = Others(leader);
    Outcomes outcomes;
    const auto propose = [&](NodeId id, int i) {
      const std::string command = std::to_string(round) + "/" + std::to_string(i);
      node(id).Propose(Command(command), Deadline(), outcomes.Expect(command));
    };
    for (int i = 0; i < 200; ++i) propose(survivors[i % 2], i);
    network_.Isolate(leader);
    for (int i = 200; i < 400; ++i) propose(survivors[i % 2], i);
    outcomes.AwaitAll();
    EXPECT_EQ(outcomes.CountApplied(), 400u);
    for (const NodeId id : survivors) {
      ASSERT_TRUE(Read(id).ok());
      ExpectKept(outcomes, commands(id));
    }
    // The old leader comes back, and takes over what it missed.
    network_.Rejoin(leader);
    ASSERT_TRUE(Read(leader).ok());
    EXPECT_THAT(commands(leader), IsSupersetOf(commands(survivors[0])));
  }
}

TEST_F(ClusterTest, ProposalsOfAnIsolatedLeaderAreNotLostAndNotDoubled) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  Outcomes outcomes;
  network_.Isolate(leader);
  for (int i = 0; i < 50; ++i) {
    const std::string command = "cut off " + std::to_string(i);
    node(leader).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  // The others go on without it.
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(others[0], "meanwhile")));
  network_.Rejoin(leader);
  outcomes.AwaitAll();
  EXPECT_EQ(outcomes.CountApplied(), 50u);
  ASSERT_TRUE(Read(others[0]).ok());
  ExpectKept(outcomes, commands(others[0]));
}

// Without any change of leader or term, and with nobody who reports a loss.
TEST_F(ClusterTest, ForwardedProposalsThatAreLostAreForwardedAgain) {
  const NodeId follower = Others(AwaitLeader(NodeId(1)))[0];
  int lost = 0;
  network_.Lose([lost](const Message& message) mutable {
    return std::holds_alternative<ForwardProposals>(message.body) && ++lost <= 2;
  });
  Outcomes outcomes;
  for (const char* command : {"a", "b", "c"}) {
    node(follower).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  outcomes.AwaitAll();
  EXPECT_EQ(outcomes.CountApplied(), 3u);
  ExpectKept(outcomes, commands(follower));
}

// The leader answers by its lease while nobody confirms that it leads.
TEST_F(ClusterTest, LeaderAnswersByItsLease) {
  absl::Status status;
  constexpr int kTriesMax = 50;  // a lease ends while a busy machine looks elsewhere
  for (int i = 0; i < kTriesMax; ++i) {
    const NodeId leader = AwaitLeader(NodeId(1));
    ASSERT_TRUE(Read(leader).ok()) << "a quorum has acknowledged a round";
    network_.Lose(
        [](const Message& message) { return std::holds_alternative<HeartbeatAck>(message.body); });
    status = Await([&](ReadCallback done) {
      node(leader).ReadBarrier(ReadMode::kLease, Clock::System()->Now() + absl::Milliseconds(100),
                               std::move(done));
    });
    network_.Lose(nullptr);
    if (status.ok()) break;
  }
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(ClusterTest, IsolatedLeaderServesNoRead) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  network_.Isolate(leader);
  Event answered;
  absl::Status status;
  node(leader).ReadBarrier(ReadMode::kQuorum, Clock::System()->Now() + absl::Milliseconds(700),
                           [&](absl::Status s) {
                             status = std::move(s);
                             answered.Happen();
                           });
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(others[0], "meanwhile")));
  ASSERT_TRUE(answered.Await(kPatience));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClusterTest, LeadershipIsHandedOverWithoutLoss) {
  for (int round = 0; round < 5; ++round) {
    const NodeId leader = AwaitLeader(NodeId(1));
    const NodeId successor = Others(leader)[round % 2];
    Outcomes outcomes;
    for (int i = 0; i < 100; ++i) {
      const std::string command = std::to_string(round) + "/" + std::to_string(i);
      node(kIds[i % 3]).Propose(Command(command), Deadline(), outcomes.Expect(command));
    }
    ASSERT_TRUE(Transfer(leader, successor).ok());
    outcomes.AwaitAll();
    EXPECT_EQ(outcomes.CountApplied(), 100u);
    ASSERT_TRUE(Read(leader).ok());
    ExpectKept(outcomes, commands(leader));
  }
}

TEST_F(ClusterTest, FollowerCannotHandOver) {
  const NodeId leader = AwaitLeader(NodeId(1));
  EXPECT_EQ(Transfer(Others(leader)[0], kNoNode).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClusterTest, WhoWantedAnotherSuccessorIsTold) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  absl::Status first, second;
  Event first_answered, second_answered;
  // The successor lacks an entry until both have asked.
  network_.Lose([&](const Message& message) {
    return message.to == others[0] && std::holds_alternative<AppendRequest>(message.body);
  });
  Propose(leader, "late");
  node(leader).TransferLeadership(others[0], Deadline(), [&](absl::Status status) {
    first = std::move(status);
    first_answered.Happen();
  });
  node(leader).TransferLeadership(others[1], Deadline(), [&](absl::Status status) {
    second = std::move(status);
    second_answered.Happen();
  });
  network_.Lose(nullptr);
  node(leader).OnPeerUnreachable(others[0]);  // it sends again
  ASSERT_TRUE(first_answered.Await(kPatience));
  ASSERT_TRUE(second_answered.Await(kPatience));
  EXPECT_TRUE(first.ok()) << first;
  EXPECT_EQ(second.code(), absl::StatusCode::kAborted) << second;
}

TEST_F(ClusterTest, NobodyIsWaitedForWhoIsAway) {
  const NodeId leader = AwaitLeader(NodeId(1));
  network_.Isolate(leader);
  Event answered;
  absl::Status status;
  node(leader).TransferLeadership(kNoNode, Deadline(), [&](absl::Status s) {
    status = std::move(s);
    answered.Happen();
  });
  for (const NodeId other : Others(leader)) node(leader).OnPeerUnreachable(other);
  ASSERT_TRUE(answered.Await(2 * kPatience));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
}

TEST_F(ClusterTest, RestartedNodesCatchUp) {
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(NodeId(1), "before")));
  for (const NodeId id : kIds) {
    StopMember(id);
    const std::string command = "without " + std::to_string(id.value());
    ASSERT_TRUE(std::holds_alternative<Applied>(Propose(Others(id)[0], command)));
    StartMember(id);
    ASSERT_TRUE(Read(id).ok());
    EXPECT_EQ(commands(id), commands(Others(id)[0]));
  }
  EXPECT_THAT(commands(NodeId(1)), SizeIs(4));
}

TEST_F(ClusterTest, FarBehindFollowerIsFedFromTheLog) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId behind = Others(leader)[0];
  const NodeId other = Others(leader)[1];
  network_.Isolate(behind);
  // More than a leader keeps in memory for followers.
  const std::string large(256 << 10, 'x');
  Outcomes outcomes;
  for (int i = 0; i < 64; ++i) {
    const std::string command = std::to_string(i) + large;
    node(other).Propose(Command(command), Deadline(), outcomes.Expect(command));
  }
  outcomes.AwaitAll();
  network_.Rejoin(behind);
  ASSERT_TRUE(Read(behind).ok());
  EXPECT_EQ(commands(behind).size(), commands(other).size());
}

TEST_F(ShortLogTest, FollowerBehindTheLogGetsASnapshot) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const std::vector<NodeId> others = Others(leader);
  network_.Isolate(others[0]);
  const LogIndex missed_from = node(others[0]).Status().last_index;
  WriteUntilDropped(missed_from.Next(), leader, {leader, others[1]});
  network_.Rejoin(others[0]);
  ASSERT_TRUE(Read(others[0]).ok());
  EXPECT_EQ(commands(others[0]), commands(leader));
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(others[1], "after")));
  ASSERT_TRUE(Read(others[0]).ok());
  EXPECT_EQ(commands(others[0]).back(), "after");
  EXPECT_GT(members_[others[0]].log.base().index, missed_from) << "its log begins with it";
}

TEST_F(ShortLogTest, ALostStateComesFromTheLeader) {
  const NodeId leader = AwaitLeader(NodeId(1));
  const NodeId unlucky = Others(leader)[0];
  WriteUntilDropped(LogIndex(5), leader, {leader, unlucky});
  StopMember(unlucky);
  StartMember(unlucky);
  ASSERT_TRUE(Read(unlucky).ok());
  EXPECT_THAT(commands(unlucky), SizeIs(commands(leader).size()));
}

TEST_F(ClusterTest, StatusTellsOfTheFollowers) {
  ASSERT_TRUE(std::holds_alternative<Applied>(Propose(NodeId(1), "a")));
  const NodeId leader = AwaitLeader(NodeId(1));
  const ReplicaStatus status = node(leader).Status();
  EXPECT_EQ(status.self, leader);
  EXPECT_EQ(status.role, Role::kLeader);
  EXPECT_EQ(status.membership.voters, std::vector<NodeId>(kIds.begin(), kIds.end()));
  EXPECT_THAT(status.followers, SizeIs(2));
  EXPECT_GE(status.last_index, status.commit);
  EXPECT_GE(status.commit, status.applied);
}

TEST_F(ClusterTest, StopsUnderLoad) {
  Outcomes outcomes;
  std::vector<std::thread> callers;
  for (const NodeId id : kIds) {
    callers.emplace_back([this, id, &outcomes] {
      for (int i = 0; i < 2000; ++i) {
        const std::string command = std::to_string(id.value()) + "/" + std::to_string(i);
        node(id).Propose(Command(command), Deadline(), outcomes.Expect(command));
        if (i == 1000) node(id).Stop();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  outcomes.AwaitAll();
  for (const NodeId id : kIds) ExpectKept(outcomes, commands(id));
}

}  // namespace
}  // namespace pontoon::raft
