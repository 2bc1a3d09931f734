// A whole node, on executors that the test turns by hand.

#include "raft/node/raft_node.h"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "raft/env/testing/manual_time.h"
#include "raft/node/testing/cluster_fixture.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

using ::testing::_;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;

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

// Keeps the messages with `Body` that come for a node whose part the test plays.
template <typename Body>
class Mailbox final : public TransportReceiver {
 public:
  Mailbox(LocalNetwork* network, NodeId node) : network_(network), node_(node) {
    network_->Connect(node_, this);
  }
  ~Mailbox() { network_->Connect(node_, nullptr); }

  void OnMessages(std::vector<Message> messages) override {
    std::lock_guard lock(mutex_);
    for (const Message& message : messages) {
      if (const auto* body = std::get_if<Body>(&message.body)) kept_.push_back(*body);
    }
    came_.notify_all();
  }
  void OnPeerUnreachable(NodeId) override {}
  void OnPeerDown(NodeId) override {}

  // What came as number `place`; nothing if it does not come.
  std::optional<Body> Await(size_t place) {
    std::unique_lock lock(mutex_);
    const bool there = came_.wait_for(lock, absl::ToChronoSeconds(kPatience),
                                      [&] { return kept_.size() > place; });
    return there ? std::optional(kept_[place]) : std::nullopt;
  }

 private:
  LocalNetwork* const network_;
  const NodeId node_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Body> kept_;
};

// Follows a leader whose part the test plays.
class FollowerTest : public SingleNodeTest {
 protected:
  static constexpr NodeId kLeader{2};

  FollowerTest() {
    Start({kSelf, kLeader});
    HearOfLeader(Term(5));
  }

  void Hear(Term term, MessageBody body) {
    node_->OnMessages({Message{kLeader, kSelf, term, std::move(body)}});
    Settle();
  }
  void HearOfLeader(Term term) { Hear(term, Heartbeat{.commit = LogIndex(), .round = RoundId(1)}); }
};

// The new leader is heard of before the old one has said that it took nothing any more.
TEST_F(FollowerTest, ALateRefusalDoesNotDelayProposalsToTheNextLeader) {
  Mailbox<ForwardProposals> forwarded(&network_, kLeader);
  Propose("a");
  Settle();
  const auto first = forwarded.Await(0);
  ASSERT_TRUE(first.has_value());
  HearOfLeader(Term(6));
  Hear(Term(5), ProposalsRefused{.requests = {first->proposals.at(0).request}});
  EXPECT_TRUE(forwarded.Await(1).has_value()) << "no time has passed on the node's clock";
}

TEST_F(FollowerTest, ALateRefusalDoesNotDelayReadsOfTheNextLeader) {
  Mailbox<ReadRequest> questions(&network_, kLeader);
  Read("a");
  Settle();
  const auto first = questions.Await(0);
  ASSERT_TRUE(first.has_value());
  HearOfLeader(Term(6));
  const auto second = questions.Await(1);
  ASSERT_TRUE(second.has_value());
  Hear(Term(5), ReadRefused{first->id});
  Hear(Term(6), ReadReply{second->id, LogIndex()});
  EXPECT_THAT(reads_, ElementsAre(Pair("a", absl::StatusCode::kOk)));
  Read("b");
  Settle();
  EXPECT_TRUE(questions.Await(2).has_value()) << "no time has passed on the node's clock";
}

TEST_F(FollowerTest, ARefusedReadIsAskedAgainSoon) {
  Mailbox<ReadRequest> questions(&network_, kLeader);
  Read("r");
  Settle();
  const auto refused = questions.Await(0);
  ASSERT_TRUE(refused.has_value());
  Hear(Term(5), ReadRefused{refused->id});
  Advance(absl::Milliseconds(50));
  const auto again = questions.Await(1);
  ASSERT_TRUE(again.has_value());
  Hear(Term(5), ReadReply{again->id, LogIndex()});
  EXPECT_THAT(reads_, ElementsAre(Pair("r", absl::StatusCode::kOk)));
}

// With one question out, reads wait for its answer, or for a few milliseconds, and share the next.
TEST_F(FollowerTest, ReadsGatherWhileAQuestionIsOut) {
  Mailbox<ReadRequest> questions(&network_, kLeader);
  const auto read = [this](const std::string& name) {
    Read(name);
    Settle();
  };
  const auto answer = [this](const ReadRequest& question) {
    Hear(Term(5), ReadReply{question.id, LogIndex()});
  };
  const auto answered = [this] { return reads_.size(); };
  read("a");
  const auto first = questions.Await(0);
  ASSERT_TRUE(first.has_value());
  read("b");
  clock_.Advance(kGatherDelay / 2);
  read("c");
  answer(*first);
  EXPECT_EQ(answered(), 1u);
  const auto second = questions.Await(1);
  ASSERT_TRUE(second.has_value()) << "its answer brings about the next question";
  answer(*second);
  EXPECT_EQ(answered(), 3u);

  read("d");
  ASSERT_TRUE(questions.Await(2).has_value());
  read("e");
  Advance(kGatherDelay / 2);  // b's time is over
  Advance(kGatherDelay / 2);
  const auto last = questions.Await(3);
  ASSERT_TRUE(last.has_value()) << "e does not wait for longer, whatever became of d's question";
  answer(*last);
  EXPECT_EQ(answered(), 5u);
  EXPECT_THAT(reads_, Each(Pair(_, absl::StatusCode::kOk)));
}

}  // namespace
}  // namespace pontoon::raft
