#include "raft/node/snapshot_sender.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "raft/env/log.h"

namespace pontoon::raft {
namespace {

// How often transfers are looked after; also the grain of the rate limit.
constexpr absl::Duration kTick = absl::Milliseconds(20);

}  // namespace

SnapshotSender::SnapshotSender(const Parts& parts, const SnapshotSendOptions& options,
                               TransferId first_transfer, SentHandler on_sent)
    : parts_(parts),
      options_(options),
      on_sent_(std::move(on_sent)),
      next_transfer_(first_transfer),
      budget_from_(parts.clock->Now()),
      bell_(parts.executor, [this] { Work(); }) {}

void SnapshotSender::Start(const SnapshotRequest& request) {
  {
    std::lock_guard lock(mutex_);
    inbox_.requests.push_back(request);
  }
  bell_.Ring();
}

void SnapshotSender::OnAck(ReceivedAck ack) {
  {
    std::lock_guard lock(mutex_);
    inbox_.acks.push_back(std::move(ack));
  }
  bell_.Ring();
}

void SnapshotSender::CancelAll() {
  {
    std::lock_guard lock(mutex_);
    inbox_ = Inbox{.requests = {}, .acks = {}, .cancel = true};
  }
  bell_.Ring();
}

std::optional<LogIndex> SnapshotSender::OldestUnderWay() const {
  std::lock_guard lock(mutex_);
  return oldest_;
}

// ---- on the executor

void SnapshotSender::Work() {
  Inbox inbox;
  {
    std::lock_guard lock(mutex_);
    inbox = std::exchange(inbox_, Inbox());
  }
  const Instant now = parts_.clock->Now();
  if (inbox.cancel) transfers_.clear();
  for (const SnapshotRequest& request : inbox.requests) Begin(request, now);
  for (const ReceivedAck& ack : inbox.acks) Take(ack, now);

  GrantBudget(now);
  std::vector<NodeId> failed;
  for (auto& [peer, transfer] : transfers_) {
    if (!Continue(&transfer, now)) failed.push_back(peer);
  }
  for (const NodeId peer : failed) End(peer, /*complete=*/false);
  Publish();
  if (!transfers_.empty()) WakeLater(now);
}

// A pause is not made up for by a burst: what was not used for two ticks is lost.
void SnapshotSender::GrantBudget(Instant now) {
  const auto bytes_in = [this](absl::Duration time) {
    return static_cast<uint64_t>(static_cast<double>(options_.bytes_per_second) *
                                 absl::ToDoubleSeconds(time));
  };
  const uint64_t most = std::max<uint64_t>(options_.chunk_bytes, bytes_in(2 * kTick));
  budget_ = std::min(budget_ + bytes_in(std::min(now - budget_from_, 2 * kTick)), most);
  budget_from_ = now;
}

void SnapshotSender::Begin(const SnapshotRequest& request, Instant now) {
  absl::StatusOr<std::unique_ptr<SnapshotSource>> source = parts_.state_machine->OpenSnapshot();
  if (source.ok() && (*source)->position().index < request.at_least) {
    LogInfo("a follower needs a later state than this node has yet",
            {{"peer", request.peer}, {"index", request.at_least}});
    on_sent_({request.peer, request.term, std::nullopt});
    return;
  }
  if (!source.ok()) {
    LogError("could not begin a snapshot for a follower",
             {{"peer", request.peer}, {"error", source.status().message()}});
    on_sent_({request.peer, request.term, std::nullopt});
    return;
  }
  const LogPosition position = (*source)->position();
  LogInfo("sending a snapshot to a follower that the log does not help",
          {{"peer", request.peer}, {"index", position.index}});
  Transfer transfer{.id = next_transfer_,
                    .request = request,
                    .source = *std::move(source),
                    .unacknowledged = {},
                    .heard = now,
                    .moved = now};
  ++next_transfer_;
  transfers_.insert_or_assign(request.peer, std::move(transfer));
}

void SnapshotSender::Take(const ReceivedAck& ack, Instant now) {
  const auto found = transfers_.find(ack.peer);
  if (found == transfers_.end() || found->second.id != ack.ack.transfer) return;
  Transfer& transfer = found->second;
  if (ack.ack.state != SnapshotAck::State::kUnderWay) {
    End(ack.peer, ack.ack.state == SnapshotAck::State::kComplete);
    return;
  }
  std::deque<Piece>& pieces = transfer.unacknowledged;
  const uint64_t acknowledged = pieces.empty() ? transfer.read : pieces.front().offset;
  if (ack.ack.received < acknowledged) {
    // Old news; or, if there is no other, the receiver was started anew and has lost it all.
    if (now - transfer.heard > options_.resend_after) End(ack.peer, /*complete=*/false);
    return;
  }
  transfer.heard = now;
  // The last piece is not acknowledged by its bytes, but by the word that all is there.
  while (!pieces.empty() && !pieces.front().last &&
         pieces.front().offset + pieces.front().bytes->size() <= ack.ack.received) {
    pieces.pop_front();
    transfer.moved = now;
  }
}

bool SnapshotSender::Continue(Transfer* transfer, Instant now) {
  if (now - transfer->heard > options_.give_up_after) {
    LogWarn("a follower does not take its snapshot", {{"peer", transfer->request.peer}});
    return false;
  }
  if (!transfer->unacknowledged.empty() && now - transfer->moved > options_.resend_after) {
    transfer->moved = now;
    for (const Piece& piece : transfer->unacknowledged) SendPiece(*transfer, piece);
  }
  if (absl::Status sent = SendNew(transfer, now); !sent.ok()) {
    LogError("could not read the state for a follower",
             {{"peer", transfer->request.peer}, {"error", sent.message()}});
    return false;
  }
  return true;
}

absl::Status SnapshotSender::SendNew(Transfer* transfer, Instant now) {
  const auto ahead = [&] {
    return transfer->unacknowledged.empty() ? 0
                                            : transfer->read - transfer->unacknowledged[0].offset;
  };
  while (!transfer->read_all && ahead() < options_.window_bytes &&
         budget_ >= options_.chunk_bytes) {
    absl::StatusOr<std::string> bytes = transfer->source->Read(options_.chunk_bytes);
    if (!bytes.ok()) return bytes.status();
    budget_ -= bytes->size();
    transfer->read_all = bytes->empty();
    Piece piece{.offset = transfer->read,
                .bytes = std::make_shared<const std::string>(*std::move(bytes)),
                .last = transfer->read_all};
    transfer->read += piece.bytes->size();
    transfer->moved = now;
    SendPiece(*transfer, piece);
    transfer->unacknowledged.push_back(std::move(piece));
  }
  return absl::OkStatus();
}

void SnapshotSender::SendPiece(const Transfer& transfer, const Piece& piece) {
  SnapshotChunk chunk{.transfer = transfer.id,
                      .position = transfer.source->position(),
                      .offset = piece.offset,
                      .bytes = piece.bytes,
                      .last = piece.last};
  std::vector<Message> messages;
  messages.push_back({parts_.self, transfer.request.peer, transfer.request.term, std::move(chunk)});
  parts_.transport->Send(std::move(messages));
}

void SnapshotSender::End(NodeId peer, bool complete) {
  const auto found = transfers_.find(peer);
  const Transfer transfer = std::move(found->second);
  transfers_.erase(found);
  SnapshotSent sent{peer, transfer.request.term, std::nullopt};
  if (complete) {
    sent.position = transfer.source->position();
    LogInfo("sent a snapshot",
            {{"peer", peer}, {"index", sent.position->index}, {"bytes", transfer.read}});
  }
  Publish();
  on_sent_(std::move(sent));
}

void SnapshotSender::Publish() {
  std::optional<LogIndex> oldest;
  for (const auto& [peer, transfer] : transfers_) {
    const LogIndex index = transfer.source->position().index;
    oldest = oldest ? std::min(*oldest, index) : index;
  }
  std::lock_guard lock(mutex_);
  oldest_ = oldest;
}

void SnapshotSender::WakeLater(Instant now) {
  if (wake_posted_) return;
  wake_posted_ = true;
  parts_.executor->PostAt(now + kTick, [this] {
    wake_posted_ = false;
    Work();
  });
}

}  // namespace pontoon::raft
