#include "tests/sim/network.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pontoon::sim {
namespace {

using raft::Message;

class Inbox final : public raft::TransportReceiver {
 public:
  void OnMessages(std::vector<Message> messages) override {
    for (const Message& message : messages) {
      rounds.push_back(std::get<raft::Heartbeat>(message.body).round.value());
    }
  }
  void OnPeerUnreachable(NodeId peer) override { unreachable.push_back(peer); }
  void OnPeerDown(NodeId peer) override { down.push_back(peer); }

  std::vector<uint64_t> rounds;
  std::vector<NodeId> unreachable;
  std::vector<NodeId> down;
};

class NetworkTest : public ::testing::Test {
 protected:
  void Begin(const NetworkOptions& options) {
    network_ =
        std::make_unique<Network>(&loop_, 1, options, &coverage_, &trace_, Network::Observer());
    for (uint64_t node = 1; node <= 3; ++node) network_->Connect(NodeId(node), &inboxes_[node]);
    transport_ = network_->TransportOf(NodeId(1));
  }

  static Message HeartbeatOf(uint64_t to, uint64_t round) {
    return {.from = NodeId(1),
            .to = NodeId(to),
            .term = Term(1),
            .body = raft::Heartbeat{.commit = LogIndex(), .round = RoundId(round)}};
  }
  void Send(uint64_t to, uint64_t round) { transport_->Send({HeartbeatOf(to, round)}); }
  void Wait(absl::Duration time) { loop_.RunUntil(loop_.now() + time); }
  const std::vector<uint64_t>& RoundsAt(uint64_t node) { return inboxes_[node].rounds; }
  uint64_t Count(Fault fault) { return coverage_.faults[static_cast<size_t>(fault)]; }

  EventLoop loop_{1};
  Coverage coverage_;
  Trace trace_{&loop_, false};
  Inbox inboxes_[4];
  std::unique_ptr<Network> network_;
  std::unique_ptr<raft::Transport> transport_;
};

TEST_F(NetworkTest, DeliversInTimeAndInOrder) {
  Begin({.delay_least = absl::Milliseconds(1), .delay_most = absl::Milliseconds(9)});
  std::vector<uint64_t> sent;
  for (uint64_t round = 1; round <= 50; ++round) {
    Send(2, round);
    sent.push_back(round);
  }
  Wait(absl::Microseconds(999));
  EXPECT_TRUE(RoundsAt(2).empty());
  Wait(absl::Milliseconds(9));
  EXPECT_EQ(RoundsAt(2), sent);
  EXPECT_TRUE(RoundsAt(3).empty());
}

TEST_F(NetworkTest, SplitsByReceiver) {
  Begin({.coded_one_in = 1});
  transport_->Send({HeartbeatOf(2, 1), HeartbeatOf(3, 2), HeartbeatOf(2, 3)});
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2), (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(RoundsAt(3), (std::vector<uint64_t>{2}));
}

TEST_F(NetworkTest, ReordersIfToldTo) {
  Begin({.in_order = false});
  std::vector<uint64_t> sent;
  for (uint64_t round = 1; round <= 50; ++round) {
    Send(2, round);
    sent.push_back(round);
  }
  Wait(absl::Seconds(1));
  EXPECT_NE(RoundsAt(2), sent);
  std::vector<uint64_t> sorted = RoundsAt(2);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, sent);
}

TEST_F(NetworkTest, LosesItsShare) {
  Begin({.loss_per_million = 300000});
  for (uint64_t round = 1; round <= 1000; ++round) Send(2, round);
  Wait(absl::Seconds(1));
  EXPECT_NEAR(RoundsAt(2).size(), 700, 60);
  EXPECT_EQ(RoundsAt(2).size() + Count(Fault::kMessageLost), 1000u);
}

TEST_F(NetworkTest, DoublesItsShare) {
  Begin({.doubled_per_million = 300000});
  for (uint64_t round = 1; round <= 1000; ++round) Send(2, round);
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2).size(), 1000 + Count(Fault::kMessageDoubled));
  EXPECT_NEAR(RoundsAt(2).size(), 1300, 60);
}

TEST_F(NetworkTest, ABlockWorksOneWayAndOnWhatIsUnderWay) {
  Begin({.told_of_break_percent = 100});
  Send(2, 1);
  network_->Block(NodeId(1), NodeId(2));
  Send(2, 2);
  Send(3, 3);
  Wait(absl::Seconds(1));
  EXPECT_TRUE(RoundsAt(2).empty());
  EXPECT_EQ(RoundsAt(3), (std::vector<uint64_t>{3}));
  EXPECT_EQ(inboxes_[1].unreachable, (std::vector<NodeId>{NodeId(2)}));
  EXPECT_EQ(inboxes_[1].down, (std::vector<NodeId>{NodeId(2)}));
  network_->Unblock();
  Send(2, 4);
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2), (std::vector<uint64_t>{4}));
}

TEST_F(NetworkTest, UnblocksOneWayOnly) {
  Begin({.told_of_break_percent = 0});
  network_->Block(NodeId(1), NodeId(2));
  network_->Block(NodeId(1), NodeId(3));
  network_->Unblock(NodeId(1), NodeId(2));
  Send(2, 1);
  Send(3, 2);
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2), (std::vector<uint64_t>{1}));
  EXPECT_TRUE(RoundsAt(3).empty());
}

TEST_F(NetworkTest, SlowsDownOneWay) {
  Begin({});
  network_->SlowDown(NodeId(1), NodeId(2), absl::Seconds(5));
  Send(2, 1);
  Send(3, 2);
  Wait(absl::Seconds(4));
  EXPECT_TRUE(RoundsAt(2).empty());
  EXPECT_EQ(RoundsAt(3), (std::vector<uint64_t>{2}));
  Wait(absl::Seconds(2));
  EXPECT_EQ(RoundsAt(2), (std::vector<uint64_t>{1}));
  network_->Unblock();
  Send(2, 3);
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2), (std::vector<uint64_t>{1, 3}));
}

TEST_F(NetworkTest, ReportsDown) {
  Begin({});
  network_->ReportDown(NodeId(3), NodeId(1));
  EXPECT_EQ(inboxes_[3].unreachable, (std::vector<NodeId>{NodeId(1)}));
  EXPECT_EQ(inboxes_[3].down, (std::vector<NodeId>{NodeId(1)}));
  EXPECT_TRUE(inboxes_[2].down.empty());
}

TEST_F(NetworkTest, ReplaysThePast) {
  Begin({.replays = true});
  for (uint64_t round = 1; round <= 100; ++round) Send(2, round);
  Wait(absl::Seconds(1));
  network_->Replay(5);
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2).size(), 105u);
}

TEST_F(NetworkTest, ForgetsTheDead) {
  Begin({});
  Send(2, 1);
  network_->Connect(NodeId(2), nullptr);
  Wait(absl::Seconds(1));
  EXPECT_TRUE(RoundsAt(2).empty());
}

TEST_F(NetworkTest, HealsForGood) {
  Begin({.loss_per_million = 1000000});
  network_->Block(NodeId(1), NodeId(3));
  network_->Heal();
  Send(2, 1);
  Send(3, 2);
  Wait(absl::Seconds(1));
  EXPECT_EQ(RoundsAt(2).size() + RoundsAt(3).size(), 2u);
}

}  // namespace
}  // namespace pontoon::sim
