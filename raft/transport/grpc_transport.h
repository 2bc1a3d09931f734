// GrpcTransport: the peers' messages over gRPC.

#ifndef PONTOON_RAFT_TRANSPORT_GRPC_TRANSPORT_H_
#define PONTOON_RAFT_TRANSPORT_GRPC_TRANSPORT_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/transport/greeting.h"
#include "raft/transport/introduction.h"
#include "raft/transport/transport.h"

namespace grpc {
class ChannelCredentials;
class ServerBuilder;
}  // namespace grpc

namespace pontoon::raft {

class PeerLink;
class PeerService;

// "host:port" of each peer. May hold the node itself, which is passed over.
using PeerAddresses = std::map<NodeId, std::string>;

struct GrpcTransportOptions {
  Identity self;
  // For the connections to peers. Null: plain text.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // What may wait for one peer on one stream; see PeerLink.
  size_t queued_messages_max = 16384;
  size_t queued_bytes_max = 64 << 20;
  // How long a stream to this node may stay open before it has shown whose it is.
  absl::Duration greeting_timeout = absl::Seconds(5);
  // Asked about each peer, in either direction, before anything is taken from it. Null: all are
  // admitted.
  Admission admission;
  // Answers who asks for an introduction. Null: they are sent away.
  Introducer introducer;
};

// Each node dials each peer twice, once for what keeps a leader in office and once for bulk, and
// sends on the streams that it dialled; what comes over the streams that peers dialled goes to the
// receiver. Broken streams are dialled again for ever. See proto/peer.proto.
//
//   GrpcTransport transport(options);
//   transport.AddToServer(&builder);             // the peer port's own server
//   auto server = builder.BuildAndStart();
//   transport.Start(&node, addresses);
//   ...
//   transport.Stop();
//   server->Shutdown(deadline);                  // before the transport is destroyed
//
// Thread safety: Send may be called from any thread; the rest by one thread at a time, and not from
// within the receiver.
class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(GrpcTransportOptions options);
  // Stops, if Stop was not called. The server must be gone.
  ~GrpcTransport() override;

  // Registers the peer service with the server that is being built, and sets the server up for it:
  // message sizes, keepalive, limits on streams. The server should serve nothing that
  // clients ask for, so that they cannot delay peers.
  void AddToServer(grpc::ServerBuilder* builder);

  // Begins to dial and to deliver. `receiver` must live until Stop returns. Before this, peers that
  // call are refused and messages are dropped.
  void Start(TransportReceiver* receiver, const PeerAddresses& peers, const Whereabouts& own = {});

  // Changes who the peers are: new ones are dialled, those that are no longer named (or have moved
  // to another address) are hung up on. From now on streams begin with telling them `own`, where
  // this node is reached.
  void SetPeers(const PeerAddresses& peers, const Whereabouts& own = {});

  // Where the peers are dialled. May be called from any thread.
  PeerAddresses Addresses();

  // The receiver may be told of a loss from within this call.
  void Send(std::vector<Message> messages) override;

  // Ends all streams and waits for their end: after this the receiver is not called again. What is
  // sent from now on is dropped.
  void Stop();

 private:
  struct Peer {
    std::string address;
    std::shared_ptr<PeerLink> control;
    std::shared_ptr<PeerLink> bulk;
  };
  using Peers = std::map<NodeId, Peer>;

  Peer NewPeer(NodeId node, const std::string& address);
  std::shared_ptr<const Peers> CurrentPeers();
  Whereabouts OwnWhereabouts();
  void ReplacePeers(std::shared_ptr<const Peers> peers);
  static void HangUp(const Peer& peer);

  const GrpcTransportOptions options_;
  const std::unique_ptr<PeerService> service_;

  TransportReceiver* receiver_ = nullptr;
  bool stopped_ = false;
  std::vector<Peer> former_;  // hung up on, perhaps not idle yet

  std::mutex mutex_;
  std::shared_ptr<const Peers> peers_;  // guarded by mutex_; never null; replaced, not changed
  Whereabouts own_;                     // guarded by mutex_
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_GRPC_TRANSPORT_H_
