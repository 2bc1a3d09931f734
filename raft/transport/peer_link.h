// PeerLink: the one stream on which this node sends messages of one kind to one peer.

#ifndef PONTOON_RAFT_TRANSPORT_PEER_LINK_H_
#define PONTOON_RAFT_TRANSPORT_PEER_LINK_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proto/peer.grpc.pb.h"
#include "raft/base/prng.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/transport/codec.h"
#include "raft/transport/greeting.h"
#include "raft/transport/transport.h"

namespace grpc {
class Alarm;
}  // namespace grpc

namespace pontoon::raft {

// Bounds on what waits in one link while a write is under way or the peer is away.
struct LinkLimits {
  size_t queued_messages_max = 16384;
  size_t queued_bytes_max = 64 << 20;
};

// Keeps a stream to a peer open, for as long as it is not stopped, and sends messages on it.
//
// While one write is under way further messages queue, and leave together in the next envelope.
// While the peer is away they queue for a short while, so that a reconnection loses little, and
// then are dropped: old news is of no use to Raft. When something was lost, the receiver is told
// once.
//
// When a stream breaks, the link for control dials again at once and without patience: if that
// fails as well, the receiver is told that the peer is down.
//
// Each link has a channel of its own, with a connection of its own, so that a megabyte of entries
// never stands before a heartbeat in one socket.
//
// Thread safety: all methods may be called from any thread. No lock is held while gRPC or the
// receiver is called. The object is shared with the gRPC operations under way.
class PeerLink : public std::enable_shared_from_this<PeerLink> {
 public:
  struct Target {
    NodeId peer;
    StreamKind kind = StreamKind::kControl;
    std::string address;  // "host:port"
  };

  // What a link uses of its owner. It must live until AwaitStopped returns.
  struct Owner {
    TransportReceiver* receiver;               // told of losses
    Admission admission;                       // decides on the peer that answers
    std::function<Whereabouts()> whereabouts;  // this node's, asked for each stream
  };

  PeerLink(const Identity& self, Target target, const LinkLimits& limits,
           const std::shared_ptr<grpc::ChannelCredentials>& credentials, Owner owner);
  ~PeerLink();

  // Begins to dial. To be called once.
  void Start();
  // Sends all of `messages`, or drops them as told above. Never blocks.
  void Send(std::vector<Message> messages);
  // Closes the stream and dials no more. Returns at once.
  void Stop();
  // Waits until nothing of this link is under way; Stop must have been called. After that the
  // receiver is not called again.
  void AwaitStopped();
  // Whether AwaitStopped would return at once.
  bool HasStopped();

 private:
  class Stream;
  using TimePoint = std::chrono::steady_clock::time_point;

  // What the stream reports.
  void OnGreeted();
  void OnWritten(bool ok);
  void OnReadEnd();
  void OnStreamDone(const grpc::Status& status, const std::string& reason);

  void Dial();
  void DialLater(std::chrono::milliseconds delay);
  // Starts the next write, if there is something to write and nothing in the way.
  void WriteNext();
  // Ends one of the operations that AwaitStopped waits for.
  void Finish();

  // These require mutex_.
  enum class Queued { kAll, kDropped, kDroppedAndUntold };
  Queued Enqueue(std::vector<Message> messages);
  std::vector<Message> TakeEnvelope();
  void ClearQueue();
  std::chrono::milliseconds NextDelay(TimePoint now);

  const Identity self_;
  const Target target_;
  const LinkLimits limits_;
  const Owner owner_;
  const std::unique_ptr<peer::v1::Peer::Stub> stub_;

  std::mutex mutex_;  // guards all below
  std::condition_variable idle_;
  bool stopped_ = false;
  int under_way_ = 0;  // a stream, a redial, calls of the receiver

  std::shared_ptr<Stream> stream_;  // null while there is none
  bool open_ = false;               // the peer has greeted on stream_
  bool writing_ = false;            // a write on stream_ is under way, or about to be
  bool write_failed_ = false;       // stream_ takes no further write
  bool read_ended_ = false;         // stream_ is at its end
  bool probing_ = false;            // the next stream, or this one, finds out if the peer is down
  std::shared_ptr<grpc::Alarm> redial_;  // null unless a redial is set

  std::deque<Message> queue_;
  size_t queued_bytes_ = 0;
  bool loss_told_ = false;  // of what was lost since the stream was last open with an empty queue

  TimePoint since_;           // of the last change of open_
  int failed_attempts_ = 0;   // streams in a row that did not hold
  std::string last_failure_;  // logged already
  Prng jitter_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_TRANSPORT_PEER_LINK_H_
