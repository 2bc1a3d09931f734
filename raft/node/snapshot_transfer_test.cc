// A sender and a receiver, and between them a network that a test moves by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "raft/env/testing/manual_time.h"
#include "raft/env/testing/memory_snapshot.h"
#include "raft/node/snapshot_receiver.h"
#include "raft/node/snapshot_sender.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {
namespace {

constexpr NodeId kLeader{1};
constexpr NodeId kFollower{2};
constexpr Term kTerm{5};

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Stage = SnapshotStatus::Stage;

LogPosition At(uint64_t index) { return {LogIndex(index), kTerm}; }

// Gives some bytes, and then fails.
class BreakingSource final : public SnapshotSource {
 public:
  explicit BreakingSource(LogPosition position) : position_(position) {}
  LogPosition position() const override { return position_; }
  absl::StatusOr<std::string> Read(size_t) override {
    if (std::exchange(breaks_, true)) return absl::DataLossError("rot");
    return "some bytes";
  }

 private:
  const LogPosition position_;
  bool breaks_ = false;
};

// What came of the sinks of a state machine.
struct Filled {
  int sinks_alive = 0;
  size_t bytes = 0;                                        // of the last one
  std::string content;                                     // of the last one that was finished
  absl::StatusOr<std::string> membership = std::string();  // of all states here
};

class WatchedSink final : public SnapshotSink {
 public:
  WatchedSink(LogPosition position, bool is_damaged, Filled* filled)
      : sink_(position), is_damaged_(is_damaged), filled_(filled) {
    filled_->bytes = 0;
    ++filled_->sinks_alive;
  }
  ~WatchedSink() override { --filled_->sinks_alive; }
  absl::Status Write(std::string_view bytes) override {
    filled_->bytes += bytes.size();
    return sink_.Write(bytes);
  }
  absl::Status Finish() override {
    if (is_damaged_) return absl::DataLossError("a byte is wrong");
    const absl::Status finished = sink_.Finish();
    if (finished.ok()) filled_->content = sink_.content();
    return finished;
  }
  absl::StatusOr<std::string> Membership() const override { return filled_->membership; }

 private:
  MemorySnapshotSink sink_;
  const bool is_damaged_;
  Filled* const filled_;
};

class SnapshotMachine final : public StateMachine {
 public:
  LogPosition Applied() const override { return position; }
  absl::Status Apply(std::span<ApplyItem>) override { return absl::UnimplementedError("not here"); }
  absl::StatusOr<std::string> Membership() const override { return filled.membership; }
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() override {
    if (source_breaks) return std::make_unique<BreakingSource>(position);
    return std::make_unique<MemorySnapshotSource>(position, content);
  }
  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition position) override {
    if (!begin_result.ok()) return begin_result;
    if (filled.sinks_alive > 0) return absl::AlreadyExistsError("there is one being filled");
    return std::make_unique<WatchedSink>(position, sink_is_damaged, &filled);
  }
  absl::Status Install(std::unique_ptr<SnapshotSink>) override { return absl::OkStatus(); }

  LogPosition position = At(9);
  std::string content;
  bool source_breaks = false;
  absl::Status begin_result;
  bool sink_is_damaged = false;
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
    leader_state_.content = std::string(95, 'x') + "end";
    StartSender();
    StartReceiver();
  }

  void StartSender() {
    sender_ = std::make_unique<SnapshotSender>(
        SnapshotSender::Parts{.self = kLeader,
                              .executor = &sending_,
                              .clock = &clock_,
                              .state_machine = &leader_state_,
                              .transport = &wire_,
                              .instruments = &sender_instruments_},
        options_, TransferId(100), [this](const SnapshotSent& sent) { sent_.push_back(sent); });
  }
  void StartReceiver() {
    receiver_ = std::make_unique<SnapshotReceiver>(
        SnapshotReceiver::Parts{.self = kFollower,
                                .executor = &receiving_,
                                .clock = &clock_,
                                .state_machine = &follower_state_,
                                .transport = &wire_,
                                .instruments = &receiver_instruments_},
        [this](SnapshotReceived received) { received_.push_back(std::move(received)); });
    receiver_->OnLeader(kTerm, kLeader);
  }

  void Begin() { sender_->Start({.peer = kFollower, .term = kTerm, .at_least = LogIndex(3)}); }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    sending_.RunDue();
    receiving_.RunDue();
  }
  // Lets a tick pass, so that there is a budget.
  void Tick() { Advance(absl::Milliseconds(20)); }

  void Deliver(Message message) {
    if (auto* chunk = std::get_if<SnapshotChunk>(&message.body)) {
      receiver_->OnChunk({message.from, message.term, std::move(*chunk)});
      receiving_.RunDue();
    } else {
      sender_->OnAck({message.from, std::get<SnapshotAck>(message.body)});
      sending_.RunDue();
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
  SnapshotStatus Status(Stage stage) const {
    const bool waits = stage == Stage::kWaiting;
    return {kFollower, stage, waits ? LogIndex() : leader_state_.position.index};
  }
  // Moves messages, and time, until `count` transfers have failed.
  void FailTimes(size_t count) {
    const Instant end = clock_.Now() + absl::Hours(1);
    while (sent_.size() < count && clock_.Now() < end) {
      while (!wire_.queue.empty()) DeliverNext();
      Tick();
    }
    ASSERT_EQ(sent_.size(), count);
  }
  // Asks for a transfer, and says how long it takes until the first piece is sent.
  absl::Duration DelayOfNext() {
    wire_.queue.clear();
    const Instant asked = clock_.Now();
    Begin();
    while (ChunksOnTheWire() == 0 && clock_.Now() < asked + absl::Hours(1)) {
      Advance(absl::Milliseconds(10));
    }
    return clock_.Now() - asked;
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
    EXPECT_EQ(follower_state_.filled.content, leader_state_.content);
    ASSERT_EQ(sent_.size(), 1u);
    EXPECT_EQ(sent_[0].position, leader_state_.position);
    EXPECT_EQ(sent_[0].peer, kFollower);
    EXPECT_THAT(sender_->Statuses(), ElementsAre(Status(Stage::kSent)));
  }
  void ExpectFailed() {
    ASSERT_EQ(sent_.size(), 1u);
    EXPECT_EQ(sent_[0].position, std::nullopt);
    EXPECT_EQ(sent_[0].term, kTerm);
    EXPECT_THAT(sender_->Statuses(), IsEmpty());
  }

  SnapshotSendOptions options_;
  ManualClock clock_;
  ManualExecutor sending_{&clock_}, receiving_{&clock_};
  SnapshotMachine leader_state_, follower_state_;
  Wire wire_;
  SnapshotInstruments sender_instruments_, receiver_instruments_;
  std::vector<SnapshotSent> sent_;
  std::vector<SnapshotReceived> received_;
  bool confirmed_ = false;
  std::unique_ptr<SnapshotSender> sender_;
  std::unique_ptr<SnapshotReceiver> receiver_;
};

TEST_F(SnapshotTransferTest, HandsOnTheMembershipThatIsInIt) {
  const Membership membership{.voters = {NodeId(1), NodeId(2)}};
  follower_state_.filled.membership = EncodeMembership(membership);
  Begin();
  Settle();
  ExpectArrived();
  EXPECT_EQ(received_[0].membership,
            (MembershipHistory::Item{leader_state_.position.index, RequestId{}, membership}));
}

TEST_F(SnapshotTransferTest, IsRefusedIfTheMembershipInItMakesNoSense) {
  for (const absl::StatusOr<std::string>& membership :
       {absl::StatusOr<std::string>("damage"),
        absl::StatusOr<std::string>(absl::UnavailableError("no disk"))}) {
    follower_state_.filled.membership = membership;
    sent_.clear();
    Begin();
    Settle();
    EXPECT_TRUE(received_.empty());
    EXPECT_EQ(follower_state_.filled.sinks_alive, 0);
    ExpectFailed();
  }
}

TEST_F(SnapshotTransferTest, BringsEveryByte) {
  Begin();
  Settle();
  ExpectArrived();
}

TEST_F(SnapshotTransferTest, AnEmptyStateIsAStateToo) {
  leader_state_.content.clear();
  Begin();
  Settle();
  ExpectArrived();
}

TEST_F(SnapshotTransferTest, ItsPositionIsKnownWhileItIsUnderWay) {
  Begin();
  Tick();
  EXPECT_THAT(sender_->Statuses(), ElementsAre(Status(Stage::kUnderWay)));
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
  sending_.RunDue();
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
  while (follower_state_.filled.bytes < 60) {
    while (!wire_.queue.empty()) DeliverNext();
    Tick();
  }
  wire_.queue.clear();
  const size_t before = follower_state_.filled.bytes;
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
  EXPECT_EQ(follower_state_.filled.content, leader_state_.content);
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
  const Instant forgot = clock_.Now();
  Settle();
  ExpectFailed();
  EXPECT_LT(clock_.Now() - forgot, options_.give_up_after) << "it says so";
  EXPECT_TRUE(received_.empty());
}

TEST_F(SnapshotTransferTest, ANewTransferTakesThePlaceOfAnOldOne) {
  Begin();
  Tick();
  DeliverNext();
  leader_state_.position = At(12);
  leader_state_.content = "newer";
  Begin();
  Settle();
  ExpectArrived();
  EXPECT_EQ(follower_state_.filled.sinks_alive, 1) << "the older one was let go";
}

TEST_F(SnapshotTransferTest, ANewTransferMayBeOfTheSameState) {
  Begin();
  Tick();
  DeliverNext();
  Begin();
  Settle();
  ExpectArrived();
}

TEST_F(SnapshotTransferTest, AnswersToAnEarlierTransferAreIgnored) {
  Begin();
  Tick();
  const TransferId earlier = std::get<SnapshotChunk>(wire_.queue.front().body).transfer;
  Begin();
  Tick();
  for (const auto state : {SnapshotAck::State::kComplete, SnapshotAck::State::kRefused}) {
    sender_->OnAck({kFollower, {.transfer = earlier, .received = 10, .state = state}});
    Tick();
  }
  EXPECT_TRUE(sent_.empty());
  EXPECT_THAT(sender_->Statuses(), ElementsAre(Status(Stage::kUnderWay)));
}

TEST_F(SnapshotTransferTest, OnlyItsFirstPieceBeginsATransfer) {
  Begin();
  Tick();
  wire_.queue.pop_front();
  DeliverNext();
  EXPECT_EQ(follower_state_.filled.sinks_alive, 0);
}

TEST_F(SnapshotTransferTest, ARefusalIsRepeatedForEachPiece) {
  follower_state_.begin_result = absl::FailedPreconditionError("it has a newer state");
  Begin();
  Tick();
  ASSERT_EQ(ChunksOnTheWire(), 3u);
  for (int piece = 0; piece < 3; ++piece) {
    DeliverNext();
    const auto ack = std::get<SnapshotAck>(wire_.queue.back().body);
    EXPECT_EQ(ack.state, SnapshotAck::State::kRefused) << piece;
  }
}

TEST_F(SnapshotTransferTest, AnUnsoundSnapshotIsRefused) {
  follower_state_.sink_is_damaged = true;
  Begin();
  Settle();
  ExpectFailed();
  EXPECT_TRUE(received_.empty());
  EXPECT_EQ(follower_state_.filled.sinks_alive, 0);
}

TEST_F(SnapshotTransferTest, ALostRefusalIsGivenAgain) {
  follower_state_.sink_is_damaged = true;
  leader_state_.content.clear();  // few pieces
  Begin();
  Tick();
  while (follower_state_.filled.bytes == 0 || follower_state_.filled.sinks_alive > 0) {
    ASSERT_FALSE(wire_.queue.empty());
    DeliverNext();
    Tick();
  }
  wire_.queue.clear();
  Advance(options_.resend_after + absl::Milliseconds(20));
  ASSERT_EQ(ChunksOnTheWire(), wire_.queue.size());
  DeliverNext();
  EXPECT_EQ(std::get<SnapshotAck>(wire_.queue.back().body).state, SnapshotAck::State::kRefused);
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
  Tick();
  ExpectFailed();
  for (const Message& message : wire_.queue) {
    EXPECT_FALSE(std::get<SnapshotChunk>(message.body).last) << "nobody takes it for whole";
  }
}

TEST_F(SnapshotTransferTest, AStateOlderThanTheLogIsNotSent) {
  leader_state_.position = At(2);
  Begin();
  sending_.RunDue();
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
  sending_.RunDue();
  wire_.queue.clear();
  for (int i = 0; i < 100; ++i) Advance(absl::Milliseconds(100));
  EXPECT_TRUE(wire_.queue.empty());
  EXPECT_TRUE(sent_.empty());
  EXPECT_THAT(sender_->Statuses(), IsEmpty());
}

TEST_F(SnapshotTransferTest, WhatIsNotWantedIsLetGo) {
  Begin();
  Settle();
  ASSERT_EQ(follower_state_.filled.sinks_alive, 1);
  receiver_->Discard(std::move(received_[0].sink));
  receiving_.RunDue();
  EXPECT_EQ(follower_state_.filled.sinks_alive, 0);
}

// ---- failures in a row

// A receiver that can never take it would get the whole state over and over.
TEST_F(SnapshotTransferTest, EachFailureDoublesTheDelayUpToABound) {
  follower_state_.sink_is_damaged = true;
  options_.retry_after = absl::Milliseconds(100);
  options_.retry_after_max = absl::Milliseconds(700);
  StartSender();
  EXPECT_LE(DelayOfNext(), absl::Milliseconds(20));
  for (const int expected : {100, 200, 400, 700, 700}) {
    FailTimes(sent_.size() + 1);
    const absl::Duration delay = DelayOfNext();
    // Less by the time in which the failure was noticed.
    EXPECT_GE(delay, absl::Milliseconds(expected - 20));
    EXPECT_LE(delay, absl::Milliseconds(expected + 20));
  }
}

TEST_F(SnapshotTransferTest, ATransferThatWaitsIsKnown) {
  follower_state_.sink_is_damaged = true;
  Begin();
  FailTimes(1);
  Begin();
  sending_.RunDue();
  EXPECT_THAT(sender_->Statuses(), ElementsAre(Status(Stage::kWaiting)));
}

TEST_F(SnapshotTransferTest, ASuccessEndsTheDelays) {
  follower_state_.sink_is_damaged = true;
  for (size_t i = 1; i <= 4; ++i) {
    Begin();
    FailTimes(i);
  }
  follower_state_.sink_is_damaged = false;
  sent_.clear();
  Begin();
  Settle();
  ExpectArrived();
  EXPECT_LE(DelayOfNext(), absl::Milliseconds(20));
  follower_state_.sink_is_damaged = true;
  received_.clear();
  sent_.clear();
  FailTimes(1);
  EXPECT_LE(DelayOfNext(), options_.retry_after + absl::Milliseconds(20)) << "as after the first";
}

TEST_F(SnapshotTransferTest, ANewConnectionEndsTheDelays) {
  follower_state_.sink_is_damaged = true;
  for (size_t i = 1; i <= 4; ++i) {
    Begin();
    FailTimes(i);
  }
  wire_.queue.clear();
  Begin();
  Tick();
  ASSERT_EQ(ChunksOnTheWire(), 0u);
  sender_->OnNewConnection(kFollower);
  Tick();
  EXPECT_GT(ChunksOnTheWire(), 0u) << "also that of the one that waits";
}

// ---- ends from outside

TEST_F(SnapshotTransferTest, WhatIsDroppedIsNotSentOn) {
  Begin();
  Tick();
  sender_->Drop(Status(Stage::kUnderWay));
  Tick();
  ExpectFailed();
  wire_.queue.clear();
  for (int i = 0; i < 100; ++i) Advance(absl::Milliseconds(100));
  EXPECT_TRUE(wire_.queue.empty());
  EXPECT_LE(DelayOfNext(), absl::Milliseconds(20)) << "that was no failure";
}

TEST_F(SnapshotTransferTest, WhatWaitsCanBeDropped) {
  follower_state_.sink_is_damaged = true;
  Begin();
  FailTimes(1);
  Begin();
  sending_.RunDue();
  sent_.clear();
  sender_->Drop(Status(Stage::kWaiting));
  wire_.queue.clear();
  for (int i = 0; i < 100; ++i) Advance(absl::Milliseconds(100));
  ExpectFailed();
  EXPECT_TRUE(wire_.queue.empty());
}

TEST_F(SnapshotTransferTest, WhatWasSentIsKnownUntilItIsDropped) {
  Begin();
  Settle();
  ExpectArrived();
  sender_->Drop(Status(Stage::kSent));
  Tick();
  EXPECT_THAT(sender_->Statuses(), IsEmpty());
  EXPECT_EQ(sent_.size(), 1u) << "it was a success all the same";
}

TEST_F(SnapshotTransferTest, WhatWasSentIsForgottenWhenTheNextBegins) {
  Begin();
  Settle();
  Begin();
  Tick();
  EXPECT_THAT(sender_->Statuses(), ElementsAre(Status(Stage::kUnderWay)));
}

// Whoever drops something may not know yet how it went on.
TEST_F(SnapshotTransferTest, OnlyWhatIsStillSoIsDropped) {
  Begin();
  Settle();
  sender_->Drop(Status(Stage::kUnderWay));
  sender_->Drop(Status(Stage::kWaiting));
  Tick();
  ExpectArrived();
  sender_->Drop({kFollower, Stage::kSent, LogIndex(8)});
  Tick();
  ExpectArrived();
  leader_state_.position = At(12);
  Begin();
  Tick();
  sender_->Drop({kFollower, Stage::kUnderWay, LogIndex(9)});
  sender_->Drop({kFollower, Stage::kSent, LogIndex(9)});
  Tick();
  EXPECT_THAT(sender_->Statuses(), ElementsAre(Status(Stage::kUnderWay)));
}

TEST_F(SnapshotTransferTest, AnAnswerThatCameBeforeCounts) {
  Begin();
  while (received_.empty()) {
    while (!wire_.queue.empty()) DeliverNext();
    Tick();
  }
  receiver_->Confirm(received_.back());
  sender_->Drop(Status(Stage::kUnderWay));
  sender_->OnAck({kFollower, std::get<SnapshotAck>(wire_.queue.back().body)});
  Tick();
  ExpectArrived();
}

// ---- what a receiver has got so far

class HalfReceivedTest : public SnapshotTransferTest {
 protected:
  HalfReceivedTest() {
    Begin();
    Tick();
    DeliverNext();
    EXPECT_EQ(follower_state_.filled.sinks_alive, 1);
  }
  int SinksAlive() {
    receiving_.RunDue();
    return follower_state_.filled.sinks_alive;
  }
};

TEST_F(HalfReceivedTest, GoesWhenAnotherNodeLeads) {
  receiver_->OnLeader(kTerm.Next(), NodeId(3));
  EXPECT_EQ(SinksAlive(), 0);
}

TEST_F(HalfReceivedTest, IsOfOneLeaderOnly) {
  receiver_->OnLeader(kTerm, NodeId(3));
  EXPECT_EQ(SinksAlive(), 0);
}

TEST_F(HalfReceivedTest, GoesWhenThisNodeLeads) {
  receiver_->OnLeader(kTerm.Next(), kFollower);
  EXPECT_EQ(SinksAlive(), 0);
}

TEST_F(HalfReceivedTest, GoesInAnotherTermOfWhomever) {
  receiver_->OnLeader(kTerm.Next(), kNoNode);
  EXPECT_EQ(SinksAlive(), 0);
}

TEST_F(HalfReceivedTest, StaysWhileContactIsLost) {
  receiver_->OnLeader(kTerm, kNoNode);
  EXPECT_EQ(SinksAlive(), 1);
  receiver_->OnLeader(kTerm, kLeader);
  EXPECT_EQ(SinksAlive(), 1);
  Settle();
  ExpectArrived();
}

// They were heard before the leader changed, and are looked at after that.
TEST_F(HalfReceivedTest, PiecesOfAnEarlierLeaderBeginNothing) {
  receiver_->OnLeader(kTerm.Next(), kNoNode);
  while (!wire_.queue.empty()) DeliverNext();
  Begin();
  Tick();
  while (!wire_.queue.empty()) DeliverNext();
  EXPECT_EQ(SinksAlive(), 0);
}

TEST_F(HalfReceivedTest, GoesIfNothingMoreComes) {
  sender_->CancelAll();
  Advance(SnapshotReceiver::kPauseMax - absl::Seconds(1));
  EXPECT_EQ(SinksAlive(), 1);
  DeliverNext();
  Advance(SnapshotReceiver::kPauseMax - absl::Seconds(1));
  EXPECT_EQ(SinksAlive(), 1) << "something came";
  Advance(absl::Seconds(1));
  EXPECT_EQ(SinksAlive(), 0);
}

}  // namespace
}  // namespace pontoon::raft
