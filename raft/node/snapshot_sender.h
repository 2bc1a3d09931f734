// SnapshotSender: brings the state of this node to followers that are too far behind for the log.

#ifndef PONTOON_RAFT_NODE_SNAPSHOT_SENDER_H_
#define PONTOON_RAFT_NODE_SNAPSHOT_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/snapshot.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/env/clock.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"
#include "raft/node/node_instruments.h"
#include "raft/transport/transport.h"

namespace pontoon::raft {

struct SnapshotSendOptions {
  // Bytes a second, of all transfers together: so that the disks and the network have room for what
  // clients wait for.
  uint64_t bytes_per_second = 16 << 20;
  size_t chunk_bytes = 256 << 10;
  // How far a transfer runs ahead of its acknowledgements.
  size_t window_bytes = 1 << 20;
  // What was sent, and not acknowledged for so long, is sent again.
  absl::Duration resend_after = absl::Seconds(1);
  // A follower that was not heard of for so long has gone.
  absl::Duration give_up_after = absl::Seconds(10);
  // After a failure the next transfer to the follower waits for so long, and twice as long after
  // each further one, but at most for the second time.
  absl::Duration retry_after = absl::Milliseconds(100);
  absl::Duration retry_after_max = absl::Seconds(30);
};

// How far a SnapshotRequest is.
struct SnapshotStatus {
  enum class Stage {
    kWaiting,   // for its time, after a failure
    kUnderWay,  // the follower will need the entries after it
    kSent,      // the same
  };
  NodeId peer;
  Stage stage = Stage::kWaiting;
  LogIndex index;  // of the state; 0 while it waits

  friend bool operator==(const SnapshotStatus&, const SnapshotStatus&) = default;
};

// What came of a SnapshotRequest, for RaftCore::OnSnapshotSent.
struct SnapshotSent {
  NodeId peer;
  Term term;
  std::optional<LogPosition> position;
};

// Works on an executor of its own, which reads the state and sleeps between the pieces. A transfer
// keeps what is not acknowledged yet, and goes on where the receiver is: after a broken connection
// some pieces travel again, not the whole. If the receiver has lost what it acknowledged, the core
// hears of a failure, and asks for another transfer, of a newer state. That begins after a delay
// which grows with each failure in a row, since a follower that can never take it would keep both
// nodes busy for nothing.
//
// Thread safety: all methods may be called from any thread. The handler is called on the executor,
// with no lock held.
class SnapshotSender {
 public:
  using SentHandler = std::function<void(SnapshotSent)>;

  struct Parts {
    NodeId self;
    Executor* executor;
    Clock* clock;
    StateMachine* state_machine;
    Transport* transport;
    SnapshotInstruments* instruments;
  };

  // Transfers are numbered from `first_transfer` on. `executor` must outlive the use of Start; the
  // other parts and this object must outlive the executor.
  SnapshotSender(const Parts& parts, const SnapshotSendOptions& options, TransferId first_transfer,
                 SentHandler on_sent);

  // Begins a transfer, in place of another one to the same peer.
  void Start(const SnapshotRequest& request);
  void OnAck(ReceivedAck ack);
  // The connection to `peer` is a new one: what failed before may succeed now.
  void OnNewConnection(NodeId peer);
  // Ends what is still in the stage `status`, as a failure without a delay if it was not sent yet;
  // what was sent is forgotten.
  void Drop(const SnapshotStatus& status);
  // This node does not lead any more: ends all transfers, without telling the handler.
  void CancelAll();

  // What was asked for, and was neither dropped nor failed.
  std::vector<SnapshotStatus> Statuses() const;

  // After this no task is posted, but by a task.
  void Close() { bell_.Close(); }

 private:
  struct Piece {
    uint64_t offset = 0;
    Payload bytes;
    bool last = false;
  };
  struct Transfer {
    TransferId id;
    SnapshotRequest request;
    std::unique_ptr<SnapshotSource> source;
    std::deque<Piece> unacknowledged;
    uint64_t read = 0;  // bytes of the source
    bool read_all = false;
    Instant heard;  // of the receiver
    Instant moved;  // the last new piece, or acknowledgement of one, or repetition
  };
  struct Failure {
    absl::Duration delay;
    Instant retry;
  };
  struct Inbox {
    bool cancel = false;
    std::vector<NodeId> new_connections;
    std::vector<ReceivedAck> acks;
    std::vector<SnapshotStatus> dropped;
    std::vector<SnapshotRequest> requests;
  };

  // These run on the executor.
  void Work();
  void GrantBudget(Instant now);
  void DropNow(const SnapshotStatus& status);
  void BeginDue(Instant now);
  void Begin(const SnapshotRequest& request, Instant now);
  void Take(const ReceivedAck& ack, Instant now);
  // False: the transfer is over.
  bool Continue(Transfer* transfer, Instant now);
  absl::Status SendNew(Transfer* transfer, Instant now);
  void SendPiece(const Transfer& transfer, const Piece& piece);
  void OnComplete(NodeId peer);
  void OnFailed(NodeId peer, Instant now);
  void NoteFailure(NodeId peer, Instant now);
  void Publish();
  Instant NextWork(Instant now) const;
  void WakeAt(Instant when);

  const Parts parts_;
  const SnapshotSendOptions options_;
  const SentHandler on_sent_;

  // On the executor only.
  TransferId next_transfer_;
  std::map<NodeId, SnapshotRequest> waiting_;
  std::map<NodeId, Transfer> transfers_;
  std::map<NodeId, LogIndex> sent_;
  std::map<NodeId, Failure> failures_;  // the last one, if no success came after it
  uint64_t budget_ = 0;                 // bytes that may be sent now
  Instant budget_from_;
  Instant wake_at_ = Instant::InfiniteFuture();  // the earliest posted

  mutable std::mutex mutex_;  // guards all below
  Inbox inbox_;
  std::vector<SnapshotStatus> statuses_;

  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_SNAPSHOT_SENDER_H_
