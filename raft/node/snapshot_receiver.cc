#include "raft/node/snapshot_receiver.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "raft/env/log.h"

namespace pontoon::raft {
namespace {

absl::StatusOr<std::optional<MembershipHistory::Item>> MembershipIn(const SnapshotSink& sink,
                                                                    LogPosition position) {
  const absl::StatusOr<std::string> bytes = sink.Membership();
  if (!bytes.ok()) return bytes.status();
  if (bytes->empty()) return std::nullopt;
  absl::StatusOr<Membership> membership = DecodeMembership(*bytes);
  if (!membership.ok()) return membership.status();
  return MembershipHistory::Item{position.index, RequestId{}, *std::move(membership)};
}

}  // namespace

SnapshotReceiver::SnapshotReceiver(const Parts& parts, ReceivedHandler on_received)
    : parts_(parts),
      on_received_(std::move(on_received)),
      bell_(parts.executor, [this] { Work(); }) {}

void SnapshotReceiver::OnLeader(Term term, NodeId leader) {
  {
    std::lock_guard lock(mutex_);
    new_leader_ = Leader{term, leader};
  }
  bell_.Ring();
}

void SnapshotReceiver::OnChunk(ReceivedChunk chunk) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(chunk));
  }
  bell_.Ring();
}

void SnapshotReceiver::Confirm(const SnapshotReceived& snapshot) {
  {
    std::lock_guard lock(mutex_);
    confirmed_ = snapshot.transfer;
  }
  Send(snapshot.leader, snapshot.term,
       {.transfer = snapshot.transfer,
        .received = snapshot.bytes,
        .state = SnapshotAck::State::kComplete});
}

void SnapshotReceiver::Discard(std::unique_ptr<SnapshotSink> sink) {
  {
    std::lock_guard lock(mutex_);
    discarded_.push_back(std::move(sink));
  }
  bell_.Ring();
}

// ---- on the executor

void SnapshotReceiver::Work() {
  std::optional<Leader> new_leader;
  std::vector<ReceivedChunk> chunks;
  std::vector<std::unique_ptr<SnapshotSink>> discarded;
  {
    std::lock_guard lock(mutex_);
    new_leader.swap(new_leader_);
    chunks.swap(waiting_);
    discarded.swap(discarded_);
  }
  discarded.clear();
  if (new_leader) Follow(*new_leader);
  for (ReceivedChunk& chunk : chunks) Take(std::move(chunk));
}

void SnapshotReceiver::Follow(Leader leader) {
  leader_ = leader;
  if (!present_ || Follows(present_->leader)) return;
  if (present_->sink != nullptr) {
    LogInfo("gave up a snapshot: its sender leads no more", {{"leader", present_->leader.node}});
  }
  present_.reset();
}

// A node that has lost contact may come back to the same leader.
bool SnapshotReceiver::Follows(Leader leader) const {
  return leader.term == leader_.term && (leader_.node == kNoNode || leader.node == leader_.node);
}

void SnapshotReceiver::DropIfSilent(TransferId transfer) {
  if (!present_ || present_->id != transfer || present_->sink == nullptr) return;
  const Instant until = present_->heard + kPauseMax;
  if (parts_.clock->Now() < until) {
    parts_.executor->PostAt(until, [this, transfer] { DropIfSilent(transfer); });
    return;
  }
  LogWarn("gave up a snapshot of which nothing comes any more",
          {{"leader", present_->leader.node}});
  present_.reset();
}

void SnapshotReceiver::Take(ReceivedChunk received) {
  if (!Follows({received.term, received.leader})) return;
  {
    std::lock_guard lock(mutex_);
    if (received.chunk.transfer == confirmed_) {
      // The first answer may be lost.
      return Answer(received, SnapshotAck::State::kComplete);
    }
  }
  const bool is_present = present_ && present_->id == received.chunk.transfer;
  if (!is_present && received.chunk.offset == 0) Begin(received);
  if (received.chunk.transfer == refused_) {
    return Answer(received, SnapshotAck::State::kRefused);
  }
  if (!present_ || present_->id != received.chunk.transfer) {
    // Its first piece is late, or went to an earlier life of this process: the sender knows.
    return Send(received.leader, received.term, {.transfer = received.chunk.transfer});
  }
  present_->heard = parts_.clock->Now();
  const bool is_next = present_->sink != nullptr && received.chunk.offset == present_->received;
  if (is_next) return Write(std::move(received));
  Answer(received, SnapshotAck::State::kUnderWay);
}

void SnapshotReceiver::Begin(const ReceivedChunk& received) {
  present_.reset();  // first: it may be of the same position
  absl::StatusOr<std::unique_ptr<SnapshotSink>> sink =
      parts_.state_machine->BeginSnapshot(received.chunk.position);
  if (!sink.ok()) {
    refused_ = received.chunk.transfer;
    LogWarn("could not begin to receive a snapshot", {{"leader", received.leader},
                                                      {"index", received.chunk.position.index},
                                                      {"error", sink.status().message()}});
    return;
  }
  LogInfo("receiving a snapshot",
          {{"leader", received.leader}, {"index", received.chunk.position.index}});
  present_ = Transfer{.id = received.chunk.transfer,
                      .leader = {received.term, received.leader},
                      .sink = *std::move(sink),
                      .heard = parts_.clock->Now()};
  DropIfSilent(received.chunk.transfer);
}

void SnapshotReceiver::Write(ReceivedChunk received) {
  const SnapshotChunk& chunk = received.chunk;
  absl::Status written = present_->sink->Write(*chunk.bytes);
  if (written.ok() && chunk.last) written = present_->sink->Finish();
  if (!written.ok()) return Refuse(received, written);
  present_->received += chunk.bytes->size();
  parts_.instruments->bytes_received.Add(chunk.bytes->size());
  if (!chunk.last) return Answer(received, SnapshotAck::State::kUnderWay);
  HandOn(received);
}

void SnapshotReceiver::HandOn(const ReceivedChunk& last) {
  const LogPosition position = last.chunk.position;
  auto membership = MembershipIn(*present_->sink, position);
  if (!membership.ok()) return Refuse(last, membership.status());
  LogInfo("received a snapshot", {{"index", position.index}, {"bytes", present_->received}});
  parts_.instruments->received.Add();
  on_received_({.leader = last.leader,
                .term = last.term,
                .transfer = last.chunk.transfer,
                .bytes = present_->received,
                .position = position,
                .membership = *std::move(membership),
                .sink = std::move(present_->sink)});
}

void SnapshotReceiver::Refuse(const ReceivedChunk& received, const absl::Status& why) {
  LogWarn("gave up a snapshot", {{"leader", received.leader},
                                 {"index", received.chunk.position.index},
                                 {"error", why.message()}});
  present_.reset();
  refused_ = received.chunk.transfer;
  Answer(received, SnapshotAck::State::kRefused);
}

void SnapshotReceiver::Answer(const ReceivedChunk& received, SnapshotAck::State state) const {
  Send(received.leader, received.term,
       {.transfer = received.chunk.transfer,
        .received = present_ ? present_->received : 0,
        .state = state});
}

void SnapshotReceiver::Send(NodeId leader, Term term, SnapshotAck ack) const {
  std::vector<Message> messages;
  messages.push_back({parts_.self, leader, term, ack});
  parts_.transport->Send(std::move(messages));
}

}  // namespace pontoon::raft
