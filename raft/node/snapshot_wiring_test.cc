// One node, turned by hand, and two others that are only a script: what a node does with snapshots
// at the right moments.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "raft/env/testing/manual_time.h"
#include "raft/node/raft_node.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

constexpr NodeId kSelf{1};
constexpr NodeId kQuick{2};  // answers everything at once
constexpr NodeId kSlow{3};   // is away; later it answers heartbeats, and the test all else

// Keeps what is sent until the test takes it.
class Wire final : public Transport {
 public:
  void Send(std::vector<Message> messages) override {
    for (Message& message : messages) queue.push_back(std::move(message));
  }
  std::vector<Message> queue;
};

class SnapshotWiringTest : public ::testing::Test {
 protected:
  // The log is kept up to this size for followers that are there.
  explicit SnapshotWiringTest(uint64_t keep_bytes = 1 << 30) {
    RaftNodeExecutors executors;
    for (auto* slot : {&executors.loop, &executors.log_writer, &executors.log_reader,
                       &executors.applier, &executors.snapshots}) {
      auto executor = std::make_unique<ManualExecutor>(&clock_);
      manual_.push_back(executor.get());
      *slot = std::move(executor);
    }
    RaftNodeOptions options;
    options.core.self = kSelf;
    options.core.window_bytes_max = 1;  // what was applied is read from the disk
    options.retention = {.step_entries = 1, .keep_entries = 0, .keep_bytes = keep_bytes};
    options.snapshots.chunk_bytes = 100;
    options.snapshots.window_bytes = 100;
    RestoredState restored;
    restored.memberships = MembershipHistory(
        {.index = {}, .request = {}, .membership = {.voters = {kSelf, kQuick, kSlow}}});
    node_ = std::make_unique<RaftNode>(options, restored,
                                       RaftNodeEnvironment{&clock_, &wire_, &log_, &journal_},
                                       std::move(executors));
    Settle();
  }

  // Runs everything that can run now.
  void Settle() {
    bool ran = true;
    while (ran) {
      ran = false;
      for (ManualExecutor* executor : manual_) ran |= executor->RunDue();
      for (const Message& message : std::exchange(wire_.queue, {})) Answer(message);
    }
  }
  void Run(absl::Duration duration) {
    for (const Instant end = clock_.Now() + duration; clock_.Now() < end;) {
      clock_.Advance(absl::Milliseconds(10));
      Settle();
    }
  }
  void Answer(const Message& m) {
    if (const auto* chunk = std::get_if<SnapshotChunk>(&m.body)) chunks_.push_back(*chunk);
    if (const auto* ack = std::get_if<SnapshotAck>(&m.body)) acks_.push_back(*ack);
    if (const auto* heartbeat = std::get_if<Heartbeat>(&m.body)) {
      const bool is_there = m.to == kQuick || slow_is_there_;
      if (is_there) Hear(m.to, HeartbeatAck{heartbeat->round, true, LogIndex()});
    }
    if (m.to != kQuick) return;
    if (std::holds_alternative<PreVoteRequest>(m.body)) {
      node_->OnMessages({{kQuick, kSelf, m.term, PreVoteResponse{.granted = true}}});
    } else if (std::holds_alternative<VoteRequest>(m.body)) {
      node_->OnMessages({{kQuick, kSelf, m.term, VoteResponse{.granted = true}}});
    } else if (const auto* append = std::get_if<AppendRequest>(&m.body)) {
      Hear(kQuick, AppendAccepted{.match = append->prev.index + append->entries.size()});
    }
  }
  void Hear(NodeId from, MessageBody body) {
    node_->OnMessages({{from, kSelf, node_->Status().term, std::move(body)}});
  }
  void Lead() {
    Run(absl::Seconds(3));
    ASSERT_EQ(node_->Status().role, Role::kLeader);
  }
  // Gives the log time to be compacted after each write.
  void Write(int count) {
    for (int i = 0; i < count; ++i) {
      node_->Propose(std::make_shared<const std::string>(40, 'x'), Instant::InfiniteFuture(),
                     [](const ProposeOutcome&) {});
      Run(absl::Milliseconds(200));
    }
  }
  // Acknowledges, in the name of the slow follower, all of the present transfer.
  void TakeSnapshot() {
    for (int i = 0; i < 100 && !chunks_.back().last; ++i) {
      Hear(kSlow, SnapshotAck{.transfer = chunks_.back().transfer,
                              .received = chunks_.back().offset + chunks_.back().bytes->size()});
      Run(absl::Milliseconds(20));
    }
    ASSERT_TRUE(chunks_.back().last);
    Hear(kSlow, SnapshotAck{.transfer = chunks_.back().transfer,
                            .received = chunks_.back().offset,
                            .state = SnapshotAck::State::kComplete});
    Settle();
  }
  size_t ChunksIn(absl::Duration duration) {
    chunks_.clear();
    Run(duration);
    return chunks_.size();
  }

  ManualClock clock_;
  Wire wire_;
  MemoryLog log_;
  Journal journal_;
  bool slow_is_there_ = false;
  std::vector<SnapshotChunk> chunks_;
  std::vector<SnapshotAck> acks_;
  std::vector<ManualExecutor*> manual_;
  std::unique_ptr<RaftNode> node_;
};

// A leader whose log is cut off before the slow follower comes back.
class SnapshotNeededTest : public SnapshotWiringTest {
 protected:
  SnapshotNeededTest() : SnapshotWiringTest(/*keep_bytes=*/0) {
    Lead();
    Write(10);
    EXPECT_GT(log_.base().index, LogIndex(5));
    slow_is_there_ = true;
    Run(absl::Milliseconds(300));
    EXPECT_FALSE(chunks_.empty());
  }
};

TEST_F(SnapshotNeededTest, WhatFollowsItIsKeptUntilTheFollowerHasIt) {
  const LogIndex snapshot = chunks_.front().position.index;
  TakeSnapshot();
  Write(5);
  EXPECT_LE(log_.base().index, snapshot) << "or the follower would need another snapshot";
  Hear(kSlow, AppendAccepted{.match = node_->Status().last_index});
  Run(absl::Milliseconds(200));
  Write(2);
  EXPECT_GT(log_.base().index, snapshot);
}

TEST_F(SnapshotNeededTest, ItIsNotSentOnWhenTheFollowerHasTheEntries) {
  ASSERT_GT(ChunksIn(absl::Seconds(3)), 0u) << "until it is acknowledged";
  Hear(kSlow, AppendAccepted{.match = node_->Status().last_index});
  Run(absl::Milliseconds(300));
  EXPECT_EQ(ChunksIn(absl::Seconds(3)), 0u);
}

TEST_F(SnapshotNeededTest, ANewConnectionEndsTheDelayAfterFailures) {
  for (int failures = 0; failures < 8; ++failures) {
    Hear(kSlow, SnapshotAck{.transfer = chunks_.back().transfer,
                            .received = 0,
                            .state = SnapshotAck::State::kRefused});
    for (int i = 0; i < 20 && ChunksIn(absl::Seconds(1)) == 0; ++i) {
    }
    ASSERT_FALSE(chunks_.empty());
  }
  Hear(kSlow, SnapshotAck{.transfer = chunks_.back().transfer,
                          .received = 0,
                          .state = SnapshotAck::State::kRefused});
  ASSERT_EQ(ChunksIn(absl::Seconds(5)), 0u);
  node_->OnPeerUnreachable(kSlow);
  EXPECT_GT(ChunksIn(absl::Milliseconds(300)), 0u);
}

// It would be as damaged at the next heartbeat, and at all that follow.
TEST_F(SnapshotWiringTest, AFollowerGetsASnapshotInPlaceOfADamagedLog) {
  Lead();  // so short a while ago that nothing is dropped for the slow one
  Write(10);
  ASSERT_EQ(log_.base().index, LogIndex());
  log_.FailReads(absl::DataLossError("rot in a segment"));
  slow_is_there_ = true;
  Run(absl::Milliseconds(300));
  ASSERT_FALSE(chunks_.empty());
  log_.FailReads(absl::OkStatus());
  TakeSnapshot();
  EXPECT_GT(chunks_.back().position.index, LogIndex(10));
}

class UnkeptLogTest : public SnapshotWiringTest {
 protected:
  UnkeptLogTest() : SnapshotWiringTest(/*keep_bytes=*/0) { Lead(); }
};

// That takes several syncs, for which no write should have to wait.
TEST_F(UnkeptLogTest, ItsFrontGoesWithoutTheLogWriter) {
  Write(1);
  const LogIndex before = log_.base().index;
  node_->Propose(std::make_shared<const std::string>("x"), Instant::InfiniteFuture(),
                 [](const ProposeOutcome&) {});
  Settle();
  ASSERT_EQ(log_.base().index, before) << "it is not time yet";
  clock_.Advance(absl::Milliseconds(200));
  manual_[0]->RunDue();  // the loop
  manual_[4]->RunDue();  // snapshots and compaction
  EXPECT_EQ(log_.base().index, before + 1);
}

// ---- as a follower

class ReceivingTest : public SnapshotWiringTest {
 protected:
  static constexpr Term kTerm{5};

  // A piece of a transfer, from whoever leads in the term.
  void HearPiece(NodeId leader, Term term, uint64_t offset) {
    node_->OnMessages({{leader, kSelf, term, Heartbeat{}}});
    Settle();  // the term reaches the disk
    node_->OnMessages({{leader, kSelf, term,
                        SnapshotChunk{.transfer = TransferId(7),
                                      .position = {LogIndex(100), Term(1)},
                                      .offset = offset,
                                      .bytes = std::make_shared<const std::string>("some bytes"),
                                      .last = false}}});
    Settle();
  }
  uint64_t LastAcknowledged() const { return acks_.empty() ? 0 : acks_.back().received; }
};

TEST_F(ReceivingTest, WhatAnEarlierLeaderSentIsLetGo) {
  HearPiece(kQuick, kTerm, 0);
  EXPECT_EQ(LastAcknowledged(), 10u);
  HearPiece(kSlow, kTerm.Next(), 10);
  EXPECT_EQ(LastAcknowledged(), 0u) << "nothing of it is here any more";
}

TEST_F(ReceivingTest, WhatTheSameLeaderSendsGoesOnAfterASilence) {
  HearPiece(kQuick, kTerm, 0);
  clock_.Advance(absl::Seconds(5));
  manual_[0]->RunDue();
  ASSERT_EQ(node_->Status().role, Role::kPreCandidate);
  wire_.queue.clear();  // nobody hears of that
  HearPiece(kQuick, kTerm, 10);
  EXPECT_EQ(LastAcknowledged(), 20u);
}

}  // namespace
}  // namespace pontoon::raft
