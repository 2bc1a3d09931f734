#include "raft/transport/grpc_transport.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "raft/base/check.h"
#include "raft/transport/codec.h"
#include "raft/transport/peer_link.h"
#include "raft/transport/peer_service.h"

namespace pontoon::raft {
namespace {

GrpcTransportOptions WithDefaults(GrpcTransportOptions options) {
  if (options.credentials == nullptr) options.credentials = grpc::InsecureChannelCredentials();
  if (options.admission == nullptr) {
    options.admission = [](const Greeting&) { return absl::OkStatus(); };
  }
  return options;
}

}  // namespace

GrpcTransport::GrpcTransport(GrpcTransportOptions options)
    : options_(WithDefaults(std::move(options))),
      service_(std::make_unique<PeerService>(PeerService::Options{
          options_.self, options_.greeting_timeout, options_.admission, options_.introducer})),
      peers_(std::make_shared<const Peers>()) {}

GrpcTransport::~GrpcTransport() { Stop(); }

void GrpcTransport::AddToServer(grpc::ServerBuilder* builder) {
  builder->RegisterService(service_.get());
  builder->SetMaxReceiveMessageSize(kEnvelopeBytesMax);
  // On each connection. Peers open one.
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 16);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5000);
  // Peers ping about once a second and are never sent away for it.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 100);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 2000);
  // Frees what a vanished peer left; the peers' own pings are the quick ones.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
}

void GrpcTransport::Start(TransportReceiver* receiver, const PeerAddresses& peers,
                          const Whereabouts& own) {
  CHECK(receiver_ == nullptr) << "started twice";
  receiver_ = receiver;
  service_->Start(receiver);
  SetPeers(peers, own);
}

GrpcTransport::Peer GrpcTransport::NewPeer(NodeId node, const std::string& address) {
  const auto link = [&](StreamKind kind) {
    return std::make_shared<PeerLink>(
        options_.self, PeerLink::Target{node, kind, address},
        LinkLimits{options_.queued_messages_max, options_.queued_bytes_max}, options_.credentials,
        PeerLink::Owner{receiver_, options_.admission, [this] { return OwnWhereabouts(); }});
  };
  return Peer{address, link(StreamKind::kControl), link(StreamKind::kBulk)};
}

void GrpcTransport::HangUp(const Peer& peer) {
  peer.control->Stop();
  peer.bulk->Stop();
}

std::shared_ptr<const GrpcTransport::Peers> GrpcTransport::CurrentPeers() {
  std::lock_guard lock(mutex_);
  return peers_;
}

Whereabouts GrpcTransport::OwnWhereabouts() {
  std::lock_guard lock(mutex_);
  return own_;
}

void GrpcTransport::ReplacePeers(std::shared_ptr<const Peers> peers) {
  std::lock_guard lock(mutex_);
  peers_.swap(peers);
}

void GrpcTransport::SetPeers(const PeerAddresses& addresses, const Whereabouts& own) {
  CHECK(receiver_ != nullptr) << "SetPeers before Start";
  if (stopped_) return;
  {
    std::lock_guard lock(mutex_);
    own_ = own;
  }
  const std::shared_ptr<const Peers> before = CurrentPeers();
  const auto after = std::make_shared<Peers>();
  std::set<NodeId> nodes;
  std::vector<Peer> added;
  for (const auto& [node, address] : addresses) {
    if (node == options_.self.member) continue;
    nodes.insert(node);
    const auto known = before->find(node);
    if (known != before->end() && known->second.address == address) {
      after->insert(*known);
    } else {
      added.push_back(after->emplace(node, NewPeer(node, address)).first->second);
    }
  }
  ReplacePeers(after);
  service_->SetPeers(std::move(nodes));
  std::erase_if(former_, [](const Peer& peer) {
    return peer.control->HasStopped() && peer.bulk->HasStopped();
  });
  for (const auto& [node, peer] : *before) {
    const auto kept = after->find(node);
    if (kept != after->end() && kept->second.control == peer.control) continue;
    HangUp(peer);
    former_.push_back(peer);
  }
  for (const Peer& peer : added) {
    peer.control->Start();
    peer.bulk->Start();
  }
}

PeerAddresses GrpcTransport::Addresses() {
  PeerAddresses addresses;
  for (const auto& [node, peer] : *CurrentPeers()) addresses[node] = peer.address;
  return addresses;
}

void GrpcTransport::Send(std::vector<Message> messages) {
  const std::shared_ptr<const Peers> peers = CurrentPeers();
  // One hand-over to each link, so that what is sent together travels together.
  struct Batch {
    PeerLink* link;
    std::vector<Message> messages;
  };
  absl::InlinedVector<Batch, 8> batches;
  for (Message& message : messages) {
    const auto peer = peers->find(message.to);
    if (peer == peers->end()) continue;
    PeerLink* const link = StreamKindOf(message) == StreamKind::kBulk ? peer->second.bulk.get()
                                                                      : peer->second.control.get();
    auto batch = std::find_if(batches.begin(), batches.end(),
                              [link](const Batch& b) { return b.link == link; });
    if (batch == batches.end()) batch = batches.insert(batch, Batch{link, {}});
    batch->messages.push_back(std::move(message));
  }
  for (Batch& batch : batches) batch.link->Send(std::move(batch.messages));
}

void GrpcTransport::Stop() {
  stopped_ = true;
  for (const auto& [node, peer] : *CurrentPeers()) former_.push_back(peer);
  ReplacePeers(std::make_shared<const Peers>());
  for (const Peer& peer : former_) HangUp(peer);
  for (const Peer& peer : former_) {
    peer.control->AwaitStopped();
    peer.bulk->AwaitStopped();
  }
  former_.clear();
  service_->Stop();
}

}  // namespace pontoon::raft
