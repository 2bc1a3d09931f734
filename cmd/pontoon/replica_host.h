// ReplicaHost: the replicated part of a server, from the disk to the peers.

#ifndef PONTOON_CMD_PONTOON_REPLICA_HOST_H_
#define PONTOON_CMD_PONTOON_REPLICA_HOST_H_

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/data_folder.h"
#include "cmd/pontoon/peer_book.h"
#include "cmd/pontoon/peer_finder.h"
#include "cmd/pontoon/peer_roster.h"
#include "cmd/pontoon/registrar.h"
#include "cmd/pontoon/storage.h"
#include "kv/store/kv_store.h"
#include "raft/env/executor.h"
#include "raft/node/raft_node.h"
#include "raft/storage/log_store.h"
#include "raft/transport/grpc_transport.h"

namespace pontoon {

// Owns the log, the state, the node, and the server that the peers talk to.
//
// Thread safety: one thread; the parts that it hands out have their own rules.
class ReplicaHost {
 public:
  // Opens what is in `folder`, which must outlive the host. An error is one line for the operator.
  static absl::StatusOr<std::unique_ptr<ReplicaHost>> Open(const DataFolder& folder,
                                                           StateChoice choice);
  // Stops, if that was not done.
  ~ReplicaHost();

  // Takes part in the cluster from now on. The peer port also serves `services`, which are
  // borrowed. `on_removed` is called once, on a thread of the host's, if this member is removed
  // from it: the folder is marked then, and the process should stop. An error is one line for the
  // operator.
  absl::Status Join(const Config& config, const std::vector<grpc::Service*>& services,
                    std::function<void()> on_removed);

  // Null before Join.
  raft::RaftNode* node() const { return node_.get(); }
  kv::KvStore* store() const { return storage_.store.get(); }
  const raft::LogStore& log() const { return *storage_.log; }

  // Hands the leadership over, if this node has it and there is somebody to take it, so that the
  // clients of the cluster do not have to wait for an election timeout. Waits no longer than
  // `timeout`.
  void HandOver(absl::Duration timeout);

  // Leaves the cluster's work. Everybody who waits for an answer gets one.
  void Stop();

 private:
  explicit ReplicaHost(const DataFolder& folder) : folder_(folder), identity_(folder.identity()) {}

  // How far the transport is.
  enum class Dial { kIdle, kStarted, kStopped };

  raft::GrpcTransportOptions TransportOptions();
  raft::RaftNodeOptions NodeOptions(const Config& config);
  absl::Status StartPeerServer(const Config& config, const std::vector<grpc::Service*>& services);
  void StartNode(const Config& config);
  std::unique_ptr<PeerFinder> NewPeerFinder();

  // ---- on the steward
  void SetPeers(const raft::PeerAddresses& addresses, const raft::Whereabouts& own);
  void OnRemoved();

  const DataFolder& folder_;
  const Identity& identity_;  // the folder's
  std::unique_ptr<PeerBook> peer_book_;
  std::unique_ptr<Executor> scrubber_;  // the store posts there; may go before it
  Storage storage_;
  std::unique_ptr<raft::GrpcTransport> transport_;
  std::unique_ptr<grpc::Server> peer_server_;
  std::unique_ptr<PeerRoster> roster_;
  std::unique_ptr<raft::RaftNode> node_;
  std::unique_ptr<Registrar> registrar_;
  // Does what the node's loop and gRPC's threads may not wait for: changes of peers, introductions,
  // the end of a membership.
  std::unique_ptr<Executor> steward_;
  Dial dial_ = Dial::kIdle;           // on the steward only
  std::function<void()> on_removed_;  // on the steward only; null once it was called
  std::unique_ptr<PeerFinder> finder_;
  std::unique_ptr<Executor> seeker_;  // the finder's: waits for answers
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_REPLICA_HOST_H_
