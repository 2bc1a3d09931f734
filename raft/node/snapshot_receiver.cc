#include "raft/node/snapshot_receiver.h"

#include <utility>

#include "absl/status/statusor.h"
#include "raft/env/log.h"

namespace pontoon::raft {

SnapshotReceiver::SnapshotReceiver(NodeId self, Executor* executor, StateMachine* state_machine,
                                   Transport* transport, ReceivedHandler on_received)
    : self_(self),
      state_machine_(state_machine),
      transport_(transport),
      on_received_(std::move(on_received)),
      bell_(executor, [this] { Work(); }) {}

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
  std::vector<ReceivedChunk> chunks;
  std::vector<std::unique_ptr<SnapshotSink>> discarded;
  {
    std::lock_guard lock(mutex_);
    chunks.swap(waiting_);
    discarded.swap(discarded_);
  }
  discarded.clear();
  for (ReceivedChunk& chunk : chunks) Take(std::move(chunk));
}

void SnapshotReceiver::Take(ReceivedChunk received) {
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
  const bool is_next = present_->sink != nullptr && received.chunk.offset == present_->received;
  if (is_next) return Write(std::move(received));
  Answer(received, SnapshotAck::State::kUnderWay);
}

void SnapshotReceiver::Begin(const ReceivedChunk& received) {
  present_.reset();  // first: it may be of the same position
  absl::StatusOr<std::unique_ptr<SnapshotSink>> sink =
      state_machine_->BeginSnapshot(received.chunk.position);
  if (!sink.ok()) {
    refused_ = received.chunk.transfer;
    LogWarn("could not begin to receive a snapshot", {{"leader", received.leader},
                                                      {"index", received.chunk.position.index},
                                                      {"error", sink.status().message()}});
    return;
  }
  LogInfo("receiving a snapshot",
          {{"leader", received.leader}, {"index", received.chunk.position.index}});
  present_ = Transfer{.id = received.chunk.transfer, .sink = *std::move(sink)};
}

void SnapshotReceiver::Write(ReceivedChunk received) {
  const SnapshotChunk& chunk = received.chunk;
  absl::Status written = present_->sink->Write(*chunk.bytes);
  if (written.ok() && chunk.last) written = present_->sink->Finish();
  if (!written.ok()) return Refuse(received, written);
  present_->received += chunk.bytes->size();
  if (!chunk.last) return Answer(received, SnapshotAck::State::kUnderWay);
  LogInfo("received a snapshot", {{"index", chunk.position.index}, {"bytes", present_->received}});
  on_received_({.leader = received.leader,
                .term = received.term,
                .transfer = chunk.transfer,
                .bytes = present_->received,
                .position = chunk.position,
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
  messages.push_back({self_, leader, term, ack});
  transport_->Send(std::move(messages));
}

}  // namespace pontoon::raft
