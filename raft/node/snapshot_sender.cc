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

void SnapshotSender::OnNewConnection(NodeId peer) {
  {
    std::lock_guard lock(mutex_);
    inbox_.new_connections.push_back(peer);
  }
  bell_.Ring();
}

void SnapshotSender::Drop(const SnapshotStatus& status) {
  {
    std::lock_guard lock(mutex_);
    inbox_.dropped.push_back(status);
  }
  bell_.Ring();
}

void SnapshotSender::CancelAll() {
  {
    std::lock_guard lock(mutex_);
    inbox_ = Inbox();
    inbox_.cancel = true;
  }
  bell_.Ring();
}

std::vector<SnapshotStatus> SnapshotSender::Statuses() const {
  std::lock_guard lock(mutex_);
  return statuses_;
}

// ---- on the executor

void SnapshotSender::Work() {
  Inbox inbox;
  {
    std::lock_guard lock(mutex_);
    inbox = std::exchange(inbox_, Inbox());
  }
  const Instant now = parts_.clock->Now();
  if (inbox.cancel) {
    waiting_.clear();
    transfers_.clear();
    sent_.clear();
    failures_.clear();
  }
  for (const NodeId peer : inbox.new_connections) failures_.erase(peer);
  // In this order: what came to its end is not dropped, and what is dropped was asked for before.
  for (const ReceivedAck& ack : inbox.acks) Take(ack, now);
  for (const SnapshotStatus& status : inbox.dropped) DropNow(status);
  for (const SnapshotRequest& request : inbox.requests) {
    transfers_.erase(request.peer);
    sent_.erase(request.peer);
    waiting_.insert_or_assign(request.peer, request);
  }
  BeginDue(now);

  GrantBudget(now);
  std::vector<NodeId> failed;
  for (auto& [peer, transfer] : transfers_) {
    if (!Continue(&transfer, now)) failed.push_back(peer);
  }
  for (const NodeId peer : failed) OnFailed(peer, now);
  Publish();
  WakeAt(NextWork(now));
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

void SnapshotSender::DropNow(const SnapshotStatus& status) {
  const NodeId peer = status.peer;
  std::optional<Term> ended;
  if (status.stage == SnapshotStatus::Stage::kWaiting) {
    if (const auto found = waiting_.find(peer); found != waiting_.end()) {
      ended = found->second.term;
      waiting_.erase(found);
    }
  } else if (status.stage == SnapshotStatus::Stage::kUnderWay) {
    const auto found = transfers_.find(peer);
    if (found != transfers_.end() && found->second.source->position().index == status.index) {
      ended = found->second.request.term;
      transfers_.erase(found);
    }
  } else if (const auto found = sent_.find(peer);
             found != sent_.end() && found->second == status.index) {
    sent_.erase(found);
  }
  if (!ended) return;
  LogInfo("a follower needs no snapshot any more", {{"peer", peer}});
  on_sent_({peer, *ended, std::nullopt});
}

void SnapshotSender::BeginDue(Instant now) {
  std::vector<SnapshotRequest> due;
  for (const auto& [peer, request] : waiting_) {
    const auto failure = failures_.find(peer);
    if (failure == failures_.end() || failure->second.retry <= now) due.push_back(request);
  }
  for (const SnapshotRequest& request : due) {
    waiting_.erase(request.peer);
    Begin(request, now);
  }
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
    NoteFailure(request.peer, now);
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
    if (ack.ack.state == SnapshotAck::State::kComplete) {
      OnComplete(ack.peer);
    } else {
      OnFailed(ack.peer, now);
    }
    return;
  }
  std::deque<Piece>& pieces = transfer.unacknowledged;
  const uint64_t acknowledged = pieces.empty() ? transfer.read : pieces.front().offset;
  if (ack.ack.received < acknowledged) {
    // Old news; or, if there is no other, the receiver was started anew and has lost it all.
    if (now - transfer.heard > options_.resend_after) OnFailed(ack.peer, now);
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
    parts_.instruments->bytes_sent.Add(piece.bytes->size());
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

void SnapshotSender::OnComplete(NodeId peer) {
  const auto found = transfers_.find(peer);
  const Transfer transfer = std::move(found->second);
  transfers_.erase(found);
  const LogPosition position = transfer.source->position();
  LogInfo("sent a snapshot", {{"peer", peer}, {"index", position.index}, {"bytes", transfer.read}});
  parts_.instruments->sent.Add();
  failures_.erase(peer);
  sent_[peer] = position.index;
  Publish();
  on_sent_({peer, transfer.request.term, position});
}

void SnapshotSender::OnFailed(NodeId peer, Instant now) {
  const auto found = transfers_.find(peer);
  const Term term = found->second.request.term;
  transfers_.erase(found);
  NoteFailure(peer, now);
  Publish();
  on_sent_({peer, term, std::nullopt});
}

void SnapshotSender::NoteFailure(NodeId peer, Instant now) {
  parts_.instruments->send_failures.Add();
  const auto [failure, is_first] =
      failures_.try_emplace(peer, Failure{options_.retry_after, now + options_.retry_after});
  if (is_first) return;
  failure->second.delay = std::min(2 * failure->second.delay, options_.retry_after_max);
  failure->second.retry = now + failure->second.delay;
}

void SnapshotSender::Publish() {
  using Stage = SnapshotStatus::Stage;
  std::vector<SnapshotStatus> statuses;
  for (const auto& [peer, request] : waiting_) statuses.push_back({peer, Stage::kWaiting, {}});
  for (const auto& [peer, transfer] : transfers_) {
    statuses.push_back({peer, Stage::kUnderWay, transfer.source->position().index});
  }
  for (const auto& [peer, index] : sent_) statuses.push_back({peer, Stage::kSent, index});
  std::lock_guard lock(mutex_);
  statuses_.swap(statuses);
}

Instant SnapshotSender::NextWork(Instant now) const {
  if (!transfers_.empty()) return now + kTick;
  Instant next = Instant::InfiniteFuture();
  for (const auto& [peer, request] : waiting_) next = std::min(next, failures_.at(peer).retry);
  return next;
}

// A posted task cannot be taken back: one that comes without need does no harm.
void SnapshotSender::WakeAt(Instant when) {
  if (wake_at_ <= when) return;
  wake_at_ = when;
  parts_.executor->PostAt(when, [this, when] {
    if (wake_at_ == when) wake_at_ = Instant::InfiniteFuture();
    Work();
  });
}

}  // namespace pontoon::raft
