// PeerService: the streams that peers have dialled to this node.

#ifndef PONTOON_RAFT_TRANSPORT_PEER_SERVICE_H_
#define PONTOON_RAFT_TRANSPORT_PEER_SERVICE_H_

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/peer.grpc.pb.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/transport/codec.h"
#include "raft/transport/greeting.h"
#include "raft/transport/introduction.h"
#include "raft/transport/transport.h"

namespace pontoon::raft {

// Greets the peers that call, and hands what they send to the receiver. A stream is refused, with
// words for the log of the other side, unless it comes from a known peer of this cluster and is
// meant for this member; and it is ended when something comes over it that makes no sense. There is
// at most one stream of each kind from each peer: a newer one replaces an older one, which may be
// what is left of a connection that the peer gave up.
//
// Thread safety: all methods may be called from any thread. No lock is held while gRPC or the
// receiver is called.
class PeerService final : public peer::v1::Peer::CallbackService {
 public:
  struct Options {
    Identity self;
    // A stream is ended if no greeting comes over it within this time.
    absl::Duration greeting_timeout;
    Admission admission;
    Introducer introducer;  // may be null
  };

  explicit PeerService(Options options) : options_(std::move(options)) {}
  // The server must be gone: it may call the service until then.
  ~PeerService() override;

  // From now on peers are let in, and introductions are given. `receiver` must live
  // until Stop returns; what the introducer uses, until the server is gone.
  void Start(TransportReceiver* receiver);
  // The members whose streams are taken; the streams of others are ended.
  void SetPeers(std::set<NodeId> peers);
  // Ends all streams, waits for their end, and lets in no others.
  void Stop();

  // gRPC calls this for each new stream.
  grpc::ServerBidiReactor<peer::v1::Envelope, peer::v1::Envelope>* Exchange(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Introduce(grpc::CallbackServerContext* context,
                                      const peer::v1::IntroduceRequest* request,
                                      peer::v1::IntroduceResponse* response) override;

 private:
  class Stream;
  using Key = std::pair<NodeId, StreamKind>;
  using Streams = std::vector<std::shared_ptr<Stream>>;

  // What the streams report.
  absl::Status CheckPeer(const Greeting& greeting);
  absl::Status Admit(const std::shared_ptr<Stream>& stream, const Greeting& greeting);
  // `peer` is who it said that it is, kNoNode if nothing.
  void OnRefused(NodeId peer, const absl::Status& reason);
  void OnStreamDone(const std::shared_ptr<Stream>& stream);

  // UNAVAILABLE if this is not the time for one more.
  absl::Status BeginIntroduction();

  const Options options_;

  std::mutex mutex_;  // guards all below
  std::condition_variable idle_;
  TransportReceiver* receiver_ = nullptr;  // null: nobody is let in
  std::set<NodeId> peers_;
  std::set<std::shared_ptr<Stream>> streams_;         // all that are not done
  std::map<Key, std::shared_ptr<Stream>> by_sender_;  // those that were let in
  std::map<NodeId, std::string> refusals_;            // the last that was logged, by who called
  int introductions_ = 0;                             // under way
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_PEER_SERVICE_H_
