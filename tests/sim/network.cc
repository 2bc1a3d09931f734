#include "tests/sim/network.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proto/peer.pb.h"
#include "raft/base/check.h"
#include "raft/core/testing/describe.h"
#include "raft/transport/codec.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

constexpr size_t kRememberedMax = 256;
constexpr uint64_t kRememberOneIn = 16;

// Through the bytes of the wire and back.
std::vector<raft::Message> Coded(const std::vector<raft::Message>& messages) {
  peer::v1::Envelope envelope;
  for (const raft::Message& message : messages) raft::EncodeMessage(message, &envelope);
  const std::string bytes = envelope.SerializeAsString();
  peer::v1::Envelope parsed;
  CHECK(parsed.ParseFromString(bytes));
  const raft::StreamEnds ends{.from = messages.front().from, .to = messages.front().to};
  absl::StatusOr<std::vector<raft::Message>> decoded = raft::DecodeEnvelope(ends, &parsed);
  CHECK(decoded.ok()) << decoded.status();
  CHECK_EQ(decoded->size(), messages.size());
  return *std::move(decoded);
}

}  // namespace

class Network::NodeTransport final : public raft::Transport {
 public:
  explicit NodeTransport(Network* network) : network_(network) {}
  void Send(Messages messages) override { network_->Send(std::move(messages)); }

 private:
  Network* const network_;
};

Network::Network(EventLoop* loop, uint64_t seed, const NetworkOptions& options, Coverage* coverage,
                 const Trace* trace, Observer observer)
    : loop_(loop),
      dice_(seed),
      options_(options),
      coverage_(coverage),
      trace_(trace),
      observer_(std::move(observer)) {}

void Network::Connect(NodeId node, raft::TransportReceiver* receiver) {
  receivers_[node.value()] = receiver;
}

std::unique_ptr<raft::Transport> Network::TransportOf(NodeId) {
  return std::make_unique<NodeTransport>(this);
}

void Network::Send(Messages messages) {
  for (const raft::Message& message : messages) observer_.on_sent(message);
  while (!messages.empty()) {
    const NodeId to = messages.front().to;
    const auto other = [to](const raft::Message& m) { return m.to != to; };
    if (std::none_of(messages.begin(), messages.end(), other)) {
      SendTogether(std::move(messages));
      return;
    }
    Messages together;
    Messages rest;
    for (raft::Message& message : messages) {
      (message.to == to ? together : rest).push_back(std::move(message));
    }
    SendTogether(std::move(together));
    messages = std::move(rest);
  }
}

void Network::SendTogether(Messages messages) {
  Link& link = LinkOf(messages.front().from, messages.front().to);
  if (link.blocked) {
    coverage_->Met(Fault::kMessageBlocked);
    return;
  }
  if (options_.replays && dice_.OneIn(kRememberOneIn)) Remember(messages.front());
  if (dice_.PerMillion(options_.loss_per_million)) {
    coverage_->Met(Fault::kMessageLost);
    return;
  }
  if (dice_.OneIn(options_.coded_one_in)) messages = Coded(messages);
  if (dice_.PerMillion(options_.doubled_per_million)) {
    coverage_->Met(Fault::kMessageDoubled);
    loop_->At(ArrivalOf(&link), [this, copy = messages]() mutable {
      Deliver(std::move(copy), Observer::Copy::kAgain);
    });
  }
  loop_->At(ArrivalOf(&link), [this, messages = std::move(messages)]() mutable {
    Deliver(std::move(messages), Observer::Copy::kFirst);
  });
}

SimTime Network::ArrivalOf(Link* link) {
  if (dice_.PerMillion(options_.late_per_million)) {
    coverage_->Met(Fault::kMessageOvertaken);
    return loop_->now() +
           dice_.Skewed(options_.delay_most, options_.late_most + options_.delay_most);
  }
  SimTime arrival =
      loop_->now() + dice_.Skewed(options_.delay_least, options_.delay_most) + link->slowed_by;
  if (!options_.in_order) return arrival;
  arrival = std::max(arrival, link->last_arrival + 1);
  link->last_arrival = arrival;
  return arrival;
}

void Network::Deliver(Messages messages, Observer::Copy copy) {
  const raft::Message& first = messages.front();
  raft::TransportReceiver* const receiver = receivers_[first.to.value()];
  if (receiver == nullptr) return;
  if (LinkOf(first.from, first.to).blocked) {
    coverage_->Met(Fault::kMessageBlocked);
    return;
  }
  loop_->Note(Mix(first.from.value() << 8 | first.to.value(), messages.size()));
  for (const raft::Message& message : messages) {
    loop_->Note(message.body.index() ^ message.term.value() << 8);
    observer_.on_delivered(message, copy);
    if (trace_->on()) {
      trace_->Say("  ", raft::Describe(message), copy == Observer::Copy::kAgain ? " (again)" : "");
    }
  }
  receiver->OnMessages(std::move(messages));
}

void Network::Remember(const raft::Message& message) {
  if (remembered_.size() < kRememberedMax) {
    remembered_.push_back(message);
  } else {
    remembered_[dice_.Below(kRememberedMax)] = message;
  }
}

void Network::Replay(size_t count) {
  if (!options_.replays) return;
  for (; count > 0 && !remembered_.empty(); --count) {
    coverage_->Met(Fault::kMessageReplayed);
    Messages one;
    one.push_back(remembered_[dice_.Below(remembered_.size())]);
    loop_->After(dice_.Skewed(options_.delay_least, options_.delay_most),
                 [this, one = std::move(one)]() mutable {
                   Deliver(std::move(one), Observer::Copy::kAgain);
                 });
  }
}

void Network::Block(NodeId from, NodeId to) {
  LinkOf(from, to).blocked = true;
  // It may well be up: something between the two refuses connections.
  const bool is_there = receivers_[from.value()] != nullptr;
  if (is_there && dice_.Percent(options_.told_of_break_percent)) ReportDown(from, to);
}

void Network::Unblock(NodeId from, NodeId to) { LinkOf(from, to).blocked = false; }

void Network::SlowDown(NodeId from, NodeId to, absl::Duration by) {
  LinkOf(from, to).slowed_by = by;
}

void Network::Unblock() {
  for (auto& row : links_) {
    for (Link& link : row) {
      link.blocked = false;
      link.slowed_by = absl::ZeroDuration();
    }
  }
}

void Network::ReportDown(NodeId node, NodeId peer) {
  raft::TransportReceiver* const receiver = receivers_[node.value()];
  if (receiver == nullptr) return;
  receiver->OnPeerUnreachable(peer);
  receiver->OnPeerDown(peer);
}

void Network::BreakConnectionsOf(NodeId node) {
  for (size_t peer = 1; peer <= kNodesMax; ++peer) {
    if (receivers_[peer] == nullptr || NodeId(peer) == node) continue;
    if (dice_.Percent(options_.told_of_break_percent)) ReportDown(NodeId(peer), node);
  }
}

void Network::Heal() {
  Unblock();
  options_.loss_per_million = options_.doubled_per_million = options_.late_per_million = 0;
  options_.delay_most = options_.delay_least + absl::Milliseconds(1);
  options_.in_order = true;
  options_.replays = false;
}

}  // namespace pontoon::sim
