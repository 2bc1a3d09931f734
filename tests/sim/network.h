// Network: loses, delays, doubles, reorders, blocks and replays the messages of a simulation.

#ifndef PONTOON_TESTS_SIM_NETWORK_H_
#define PONTOON_TESTS_SIM_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/transport/transport.h"
#include "tests/sim/coverage.h"
#include "tests/sim/dice.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/options.h"
#include "tests/sim/trace.h"

namespace pontoon::sim {

// Nodes are numbered from 1 to kNodesMax.
inline constexpr size_t kNodesMax = 11;

// Connects the nodes. Messages that a node sends at once to the same peer travel together, as they
// do in an envelope of the real transport: they are lost or doubled together. A share of them is
// encoded to bytes and decoded again, by the real codec.
//
// Thread safety: none.
class Network {
 public:
  // Sees each message as its sender lets go of it, before any of this can befall it; and again as a
  // receiver gets it.
  struct Observer {
    std::function<void(const raft::Message&)> on_sent = [](const raft::Message&) {};
    enum class Copy { kFirst, kAgain };
    std::function<void(const raft::Message&, Copy)> on_delivered = [](const raft::Message&, Copy) {
    };
  };

  Network(EventLoop* loop, uint64_t seed, const NetworkOptions& options, Coverage* coverage,
          const Trace* trace, Observer observer);

  // Begins to deliver to `node`; null ends it.
  void Connect(NodeId node, raft::TransportReceiver* receiver);
  std::unique_ptr<raft::Transport> TransportOf(NodeId node);

  // Blocks what is sent from one node to another from now on, and what is on its way.
  void Block(NodeId from, NodeId to);
  void Unblock(NodeId from, NodeId to);
  // What is sent from one node to another from now on takes this much longer.
  void SlowDown(NodeId from, NodeId to, absl::Duration by);
  // Nothing is blocked or slowed down any more.
  void Unblock();
  // Tells `node` that its connection to `peer` broke, and that another one was refused.
  void ReportDown(NodeId node, NodeId peer);
  // The connections of `node` broke: its peers may be told.
  void BreakConnectionsOf(NodeId node);

  // Delivers a few messages of long ago once more.
  void Replay(size_t count);

  // From now on messages arrive, soon, once and in order.
  void Heal();

 private:
  class NodeTransport;
  using Messages = std::vector<raft::Message>;
  struct Link {
    bool blocked = false;
    absl::Duration slowed_by;
    SimTime last_arrival;  // of what comes in order
  };

  void Send(Messages messages);
  void SendTogether(Messages messages);
  void Deliver(Messages messages, Observer::Copy copy);
  void Remember(const raft::Message& message);
  SimTime ArrivalOf(Link* link);
  Link& LinkOf(NodeId from, NodeId to) { return links_[from.value()][to.value()]; }

  EventLoop* const loop_;
  Dice dice_;
  NetworkOptions options_;
  Coverage* const coverage_;
  const Trace* const trace_;
  const Observer observer_;

  std::array<raft::TransportReceiver*, kNodesMax + 1> receivers_{};
  std::array<std::array<Link, kNodesMax + 1>, kNodesMax + 1> links_;
  Messages remembered_;  // some of the messages of the past
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_NETWORK_H_
