// Transport: how the messages of the core travel between nodes.

#ifndef PONTOON_RAFT_TRANSPORT_TRANSPORT_H_
#define PONTOON_RAFT_TRANSPORT_TRANSPORT_H_

#include <vector>

#include "raft/base/types.h"
#include "raft/core/message.h"

namespace pontoon::raft {

// Takes what a transport delivers.
//
// Thread safety: a transport may call from several of its threads at once. The calls must not
// block: the streams of other peers may wait behind them.
class TransportReceiver {
 public:
  virtual ~TransportReceiver() = default;

  // Messages for this node. Those that travelled on one stream come in the order of sending.
  virtual void OnMessages(std::vector<Message> messages) = 0;

  // Messages that were sent to `peer` may be lost: its connection broke, or it takes less than is
  // sent to it. Reported once for each such event, not for each message.
  virtual void OnPeerUnreachable(NodeId peer) = 0;

  // The connection to `peer` was closed, and the attempt to open it again failed at once: its
  // process seems to be gone. It need not be; a peer that is merely slow, or behind a network that
  // swallows everything, is not reported.
  virtual void OnPeerDown(NodeId peer) = 0;
};

// Sends messages to other nodes, with no promise that they arrive: a message may be lost, and in a
// simulator also be late, doubled or out of order. Raft repairs all of this.
//
// Thread safety: Send may be called from any thread, and never blocks.
class Transport {
 public:
  virtual ~Transport() = default;

  // Each message goes to its Message::to; what is for an unknown node is dropped.
  virtual void Send(std::vector<Message> messages) = 0;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_TRANSPORT_H_
