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
#include "raft/base/snapshot.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/env/executor.h"
#include "raft/node/doorbell.h"
#include "raft/transport/transport.h"

namespace pontoon::raft {

// A whole snapshot, durable beside the present state.
struct SnapshotReceived {
  NodeId leader;
  Term term;
  TransferId transfer;
  uint64_t bytes = 0;
  LogPosition position;
  std::unique_ptr<SnapshotSink> sink;
};

// Writes the pieces, in order, into one sink, on an executor of its own. A piece of another
// transfer than the present one begins that instead, if it is its first piece; a piece that is not
// the next one is answered with how far this node has got.
//
// Thread safety: all methods may be called from any thread. The handler is called on the executor,
// with no lock held.
class SnapshotReceiver {
 public:
  using ReceivedHandler = std::function<void(SnapshotReceived)>;

  // `executor` must outlive the use of OnChunk; the others and this object must outlive it.
  SnapshotReceiver(NodeId self, Executor* executor, StateMachine* state_machine,
                   Transport* transport, ReceivedHandler on_received);

  void OnChunk(ReceivedChunk chunk);
  // The core was told of this snapshot: tells the leader so, now and whenever it asks again.
  void Confirm(const SnapshotReceived& snapshot);

  // Of no use after all: lets go of it, which may take a while, on the executor.
  void Discard(std::unique_ptr<SnapshotSink> sink);

  // After this no task is posted.
  void Close() { bell_.Close(); }

 private:
  struct Transfer {
    TransferId id;
    std::unique_ptr<SnapshotSink> sink;  // null once it was handed on
    uint64_t received = 0;
  };

  // These run on the executor.
  void Work();
  void Take(ReceivedChunk received);
  void Begin(const ReceivedChunk& received);
  void Write(ReceivedChunk received);
  void Refuse(const ReceivedChunk& received, const absl::Status& why);
  void Answer(const ReceivedChunk& received, SnapshotAck::State state) const;

  void Send(NodeId leader, Term term, SnapshotAck ack) const;

  const NodeId self_;
  StateMachine* const state_machine_;
  Transport* const transport_;
  const ReceivedHandler on_received_;

  // On the executor only.
  std::optional<Transfer> present_;
  TransferId refused_;  // the last one of which this node wants no more

  std::mutex mutex_;  // guards all below
  std::vector<ReceivedChunk> waiting_;
  std::vector<std::unique_ptr<SnapshotSink>> discarded_;
  TransferId confirmed_;

  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_SNAPSHOT_RECEIVER_H_
