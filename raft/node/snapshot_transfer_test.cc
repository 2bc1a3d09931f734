// A sender and a receiver, and between them a network that a test moves by hand.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "raft/node/snapshot_receiver.h"
#include "raft/node/snapshot_sender.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

constexpr NodeId kLeader{1};
constexpr NodeId kFollower{2};
constexpr Term kTerm{5};

LogPosition At(uint64_t index) { return {LogIndex(index), kTerm}; }

// Its snapshot is a string, cut into pieces.
class StringSource final : public SnapshotSource {
 public:
  StringSource(LogPosition position, std::string bytes, bool breaks)
      : position_(position), bytes_(std::move(bytes)), breaks_(breaks) {}
  LogPosition position() const override { return position_; }
  absl::StatusOr<std::string> Read(size_t bytes_max) override {
    if (breaks_ && read_ > 0) return absl::DataLossError("rot");
    std::string piece = bytes_.substr(read_, bytes_max);
    read_ += piece.size();
    return piece;
  }

 private:
  const LogPosition position_;
  const std::string bytes_;
  const bool breaks_;
  size_t read_ = 0;
};

// What a state machine that is filled holds, and whether sinks were let go.
struct Filled {
  std::string bytes;
  bool finished = false;
  int sinks_alive = 0;
  absl::Status finish_result;
};

class StringSink final : public SnapshotSink {
 public:
  explicit StringSink(Filled* filled) : filled_(filled) {
    filled_->bytes.clear();
    filled_->finished = false;
    ++filled_->sinks_alive;
  }
  ~StringSink() override { --filled_->sinks_alive; }
  absl::Status Write(std::string_view bytes) override {
    filled_->bytes.append(bytes);
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    filled_->finished = filled_->finish_result.ok();
    return filled_->finish_result;
  }

 private:
  Filled* const filled_;
};

class StringMachine final : public StateMachine {
 public:
  LogPosition Applied() const override { return position; }
  absl::Status Apply(std::span<ApplyItem>) override { return absl::UnimplementedError("not here"); }
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() override {
    return std::make_unique<StringSource>(position, bytes, source_breaks);
  }
  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition) override {
    if (!begin_result.ok()) return begin_result;
    return std::make_unique<StringSink>(&filled);
  }
  absl::Status Install(std::unique_ptr<SnapshotSink>) override { return absl::OkStatus(); }

  LogPosition position = At(9);
  std::string bytes;
  bool source_breaks = false;
  absl::Status begin_result;
  Filled filled;
};

// Keeps what is sent until the test moves it.
class Wire final : public Transport {
 public:
  void Send(std::vector<Message> messages) override {
    for (Message& message : messages) queue.push_back(std::move(message));
  }
  std::deque<Message> queue;
};

class SnapshotTransferTest : public ::testing::Test {
 protected:
  SnapshotTransferTest() {
    options_.chunk_bytes = 10;
    options_.window_bytes = 30;
    options_.bytes_per_second = 1'000'000;
    options_.resend_after = absl::Seconds(1);
    options_.give_up_after = absl::Seconds(5);
    leader_state_.bytes = std::string(95, 'x') + "end";
    StartSender();
    StartReceiver();
  }

  void StartSender() {
    sender_ = std::make_unique<SnapshotSender>(
        SnapshotSender::Parts{.self = kLeader,
                              .executor = &sending_,
                              .clock = &clock_,
                              .state_machine = &leader_state_,
                              .transport = &wire_},
        options_, TransferId(100), [this](const SnapshotSent& sent) { sent_.push_back(sent); });
  }
  void StartReceiver() {
    receiver_ = std::make_unique<SnapshotReceiver>(
        kFollower, &receiving_, &follower_state_, &wire_,
        [this](SnapshotReceived received) { received_.push_back(std::move(received)); });
  }

  void Begin() { sender_->Start({.peer = kFollower, .term = kTerm, .at_least = LogIndex(3)}); }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    sending_.RunDue(clock_.Now());
  }
  // Lets a tick pass, so that there is a budget.
  void Tick() { Advance(absl::Milliseconds(20)); }

  void Deliver(Message message) {
    if (auto* chunk = std::get_if<SnapshotChunk>(&message.body)) {
      receiver_->OnChunk({message.from, message.term, std::move(*chunk)});
      receiving_.RunDue(clock_.Now());
    } else {
      sender_->OnAck({message.from, std::get<SnapshotAck>(message.body)});
      sending_.RunDue(clock_.Now());
    }
  }
  void DeliverNext() {
    Message message = std::move(wire_.queue.front());
    wire_.queue.pop_front();
    Deliver(std::move(message));
  }
  // Moves messages, and time, until nothing is under way, or nothing comes of it.
  void Settle() {
    for (int tick = 0; tick < 1000 && sent_.empty(); ++tick) {
      while (!wire_.queue.empty()) {
        DeliverNext();
        if (!received_.empty() && !confirmed_) {
          confirmed_ = true;
          receiver_->Confirm(received_.back());
        }
      }
      Tick();
    }
  }
  size_t ChunksOnTheWire() const {
    size_t chunks = 0;
    for (const Message& message : wire_.queue) {
      chunks += std::holds_alternative<SnapshotChunk>(message.body);
    }
    return chunks;
  }
  void ExpectArrived() {
    ASSERT_EQ(received_.size(), 1u);
    EXPECT_EQ(received_[0].position, leader_state_.position);
    EXPECT_EQ(received_[0].leader, kLeader);
    EXPECT_EQ(received_[0].term, kTerm);
    EXPECT_TRUE(follower_state_.filled.finished);
    EXPECT_EQ(follower_state_.filled.bytes, leader_state_.bytes);
    ASSERT_EQ(sent_.size(), 1u);
    EXPECT_EQ(sent_[0].position, leader_state_.position);
    EXPECT_EQ(sent_[0].peer, kFollower);
    EXPECT_EQ(sender_->OldestUnderWay(), std::nullopt);
  }
  void ExpectFailed() {
    ASSERT_EQ(sent_.size(), 1u);
    EXPECT_EQ(sent_[0].position, std::nullopt);
    EXPECT_EQ(sent_[0].term, kTerm);
    EXPECT_EQ(sender_->OldestUnderWay(), std::nullopt);
  }

  SnapshotSendOptions options_;
  ManualClock clock_;
  ManualExecutor sending_, receiving_;
  StringMachine leader_state_, follower_state_;
  Wire wire_;
  std::vector<SnapshotSent> sent_;
  std::vector<SnapshotReceived> received_;
  bool confirmed_ = false;
  std::unique_ptr<SnapshotSender> sender_;
  std::unique_ptr<SnapshotReceiver> receiver_;
};

TEST_F(SnapshotTransferTest, BringsEveryByte) {
  Begin();
  Settle();
  ExpectArrived();
}

TEST_F(SnapshotTransferTest, AnEmptyStateIsAStateToo) {
  leader_state_.bytes.clear();
  Begin();
  Settle();
  ExpectArrived();
}

TEST_F(SnapshotTransferTest, ItsPositionIsKnownWhileItIsUnderWay) {
  Begin();
  Tick();
  EXPECT_EQ(sender_->OldestUnderWay(), LogIndex(9));
}

TEST_F(SnapshotTransferTest, RunsAheadNoFurtherThanItsWindow) {
  Begin();
  for (int i = 0; i < 10; ++i) Tick();
  EXPECT_EQ(ChunksOnTheWire(), 3u);
  DeliverNext();  // a piece
  while (ChunksOnTheWire() < wire_.queue.size()) {
    wire_.queue.push_back(std::move(wire_.queue.front()));
    wire_.queue.pop_front();
    if (std::holds_alternative<SnapshotAck>(wire_.queue.front().body)) break;
  }
  DeliverNext();  // its acknowledgement
  EXPECT_EQ(ChunksOnTheWire(), 3u) << "one has left, another one has come";
}

TEST_F(SnapshotTransferTest, KeepsToItsRate) {
  options_.bytes_per_second = 500;  // a piece of 10 bytes in each tick of 20 ms
  options_.window_bytes = 1 << 20;
  StartSender();
  Begin();
  sending_.RunDue(clock_.Now());
  size_t pieces = 0;
  for (int tick = 0; tick < 5; ++tick) {
    Tick();
    EXPECT_LE(ChunksOnTheWire(), pieces + 1);
    pieces = ChunksOnTheWire();
  }
  EXPECT_GE(pieces, 4u);
  Advance(absl::Milliseconds(900));
  EXPECT_LE(ChunksOnTheWire(), pieces + 2) << "a pause is not made up for by a burst";
}

TEST_F(SnapshotTransferTest, LostPiecesAreSentAgain) {
  Begin();
  Tick();
  wire_.queue.pop_front();
  Settle();
  ExpectArrived();
}

TEST_F(SnapshotTransferTest, ABrokenConnectionCostsAWindowNotTheWhole) {
  Begin();
  Tick();
  while (follower_state_.filled.bytes.size() < 60) {
    while (!wire_.queue.empty()) DeliverNext();
    Tick();
  }
  wire_.queue.clear();
  const size_t before = follower_state_.filled.bytes.size();
  Settle();
  ExpectArrived();
  EXPECT_GE(before, 60u);
  EXPECT_EQ(follower_state_.filled.sinks_alive, 1) << "one sink took it all";
}

TEST_F(SnapshotTransferTest, DoubledAndOvertakenPiecesAreTakenOnce) {
  Begin();
  for (int tick = 0; tick < 200 && received_.empty(); ++tick) {
    std::deque<Message> messages = std::move(wire_.queue);
    wire_.queue.clear();
    for (auto it = messages.rbegin(); it != messages.rend(); ++it) {
      Deliver(*it);
      Deliver(*it);
    }
    Advance(absl::Milliseconds(300));
  }
  ASSERT_EQ(received_.size(), 1u);
  EXPECT_EQ(follower_state_.filled.bytes, leader_state_.bytes);
}

TEST_F(SnapshotTransferTest, ALostConfirmationIsGivenAgain) {
  Begin();
  while (received_.empty()) {
    while (!wire_.queue.empty()) DeliverNext();
    Tick();
  }
  receiver_->Confirm(received_.back());
  confirmed_ = true;
  wire_.queue.clear();
  Settle();
  ExpectArrived();
}

// Until the core knows of the snapshot, the leader must not go on as if it did.
TEST_F(SnapshotTransferTest, IsNotCompleteBeforeItIsConfirmed) {
  Begin();
  for (int i = 0; i < 50; ++i) {
    while (!wire_.queue.empty()) DeliverNext();
    Tick();
  }
  ASSERT_EQ(received_.size(), 1u);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(SnapshotTransferTest, AReceiverThatForgotRefuses) {
  Begin();
  Tick();
  DeliverNext();
  receiver_.reset();
  StartReceiver();
  Settle();
  ExpectFailed();
  EXPECT_TRUE(received_.empty());
}

TEST_F(SnapshotTransferTest, ANewTransferTakesThePlaceOfAnOldOne) {
  Begin();
  Tick();
  DeliverNext();
  leader_state_.position = At(12);
  leader_state_.bytes = "newer";
  Begin();
  Settle();
  ExpectArrived();
  EXPECT_EQ(follower_state_.filled.sinks_alive, 1) << "the older one was let go";
}

TEST_F(SnapshotTransferTest, AnUnsoundSnapshotIsRefused) {
  follower_state_.filled.finish_result = absl::DataLossError("a byte is wrong");
  Begin();
  Settle();
  ExpectFailed();
  EXPECT_TRUE(received_.empty());
  EXPECT_EQ(follower_state_.filled.sinks_alive, 0);
}

TEST_F(SnapshotTransferTest, AFollowerThatCannotBeginRefuses) {
  follower_state_.begin_result = absl::FailedPreconditionError("it has a newer state");
  Begin();
  Settle();
  ExpectFailed();
}

TEST_F(SnapshotTransferTest, AStateThatCannotBeReadIsGivenUp) {
  leader_state_.source_breaks = true;
  Begin();
  Settle();
  ExpectFailed();
}

TEST_F(SnapshotTransferTest, AStateOlderThanTheLogIsNotSent) {
  leader_state_.position = At(2);
  Begin();
  sending_.RunDue(clock_.Now());
  ExpectFailed();
  EXPECT_TRUE(wire_.queue.empty());
}

TEST_F(SnapshotTransferTest, ASilentFollowerIsGivenUp) {
  Begin();
  for (int i = 0; i < 40 && sent_.empty(); ++i) {
    wire_.queue.clear();
    Advance(absl::Milliseconds(200));
  }
  ExpectFailed();
}

TEST_F(SnapshotTransferTest, ADeposedLeaderSendsNoMore) {
  Begin();
  Tick();
  sender_->CancelAll();
  sending_.RunDue(clock_.Now());
  wire_.queue.clear();
  for (int i = 0; i < 100; ++i) Advance(absl::Milliseconds(100));
  EXPECT_TRUE(wire_.queue.empty());
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(sender_->OldestUnderWay(), std::nullopt);
}

TEST_F(SnapshotTransferTest, WhatIsNotWantedIsLetGo) {
  Begin();
  Settle();
  ASSERT_EQ(follower_state_.filled.sinks_alive, 1);
  receiver_->Discard(std::move(received_[0].sink));
  receiving_.RunDue(clock_.Now());
  EXPECT_EQ(follower_state_.filled.sinks_alive, 0);
}

}  // namespace
}  // namespace pontoon::raft
