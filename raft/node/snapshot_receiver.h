// SnapshotReceiver: puts together the state that the leader sends.

#ifndef PONTOON_RAFT_NODE_SNAPSHOT_RECEIVER_H_
#define PONTOON_RAFT_NODE_SNAPSHOT_RECEIVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/membership_history.h"
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

// A whole snapshot, durable beside the present state.
struct SnapshotReceived {
  NodeId leader;
  Term term;
  TransferId transfer;
  uint64_t bytes = 0;
  LogPosition position;
  // In effect there; nothing if no entry of the log has brought one by then.
  std::optional<MembershipHistory::Item> membership;
  std::unique_ptr<SnapshotSink> sink;
};

// Writes the pieces, in order, into one sink, on an executor of its own. A piece of another
// transfer than the present one begins that instead, if it is its first piece; a piece that is not
// the next one is answered with how far this node has got. What has come so far takes room on the
// disk: it goes as soon as this node follows another leader, who could not go on with it, and after
// a while without a piece.
//
// Thread safety: all methods may be called from any thread. The handler is called on the executor,
// with no lock held.
class SnapshotReceiver {
 public:
  using ReceivedHandler = std::function<void(SnapshotReceived)>;

  // So long a transfer may pause: longer than a sender goes on without an answer.
  static constexpr absl::Duration kPauseMax = absl::Minutes(1);

  struct Parts {
    NodeId self;
    Executor* executor;
    Clock* clock;
    StateMachine* state_machine;
    Transport* transport;
    SnapshotInstruments* instruments;
  };

  // `executor` must outlive the use of OnChunk; the other parts and this object must outlive it.
  SnapshotReceiver(const Parts& parts, ReceivedHandler on_received);

  // From now on pieces of this term count, those of `leader` or, while it is kNoNode, of any.
  void OnLeader(Term term, NodeId leader);
  void OnChunk(ReceivedChunk chunk);
  // The core was told of this snapshot: tells the leader so, now and whenever it asks again.
  void Confirm(const SnapshotReceived& snapshot);

  // Of no use after all: lets go of it, which may take a while, on the executor.
  void Discard(std::unique_ptr<SnapshotSink> sink);

  // After this no task is posted.
  void Close() { bell_.Close(); }

 private:
  struct Leader {
    Term term;
    NodeId node;
  };
  struct Transfer {
    TransferId id;
    Leader leader;
    std::unique_ptr<SnapshotSink> sink;  // null once it was handed on
    Instant heard;                       // of a piece of it
    uint64_t received = 0;
  };

  // These run on the executor.
  void Work();
  void Follow(Leader leader);
  bool Follows(Leader leader) const;
  void DropIfSilent(TransferId transfer);
  void Take(ReceivedChunk received);
  void Begin(const ReceivedChunk& received);
  void Write(ReceivedChunk received);
  void HandOn(const ReceivedChunk& last);
  void Refuse(const ReceivedChunk& received, const absl::Status& why);
  void Answer(const ReceivedChunk& received, SnapshotAck::State state) const;

  void Send(NodeId leader, Term term, SnapshotAck ack) const;

  const Parts parts_;
  const ReceivedHandler on_received_;

  // On the executor only.
  Leader leader_;
  std::optional<Transfer> present_;
  TransferId refused_;  // the last one of which this node wants no more

  std::mutex mutex_;  // guards all below
  std::optional<Leader> new_leader_;
  std::vector<ReceivedChunk> waiting_;
  std::vector<std::unique_ptr<SnapshotSink>> discarded_;
  TransferId confirmed_;

  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_SNAPSHOT_RECEIVER_H_
