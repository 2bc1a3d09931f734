// ReplicaHost: the replicated part of a server, from the disk to the peers.

#ifndef PONTOON_CMD_PONTOON_REPLICA_HOST_H_
#define PONTOON_CMD_PONTOON_REPLICA_HOST_H_

#include <grpcpp/server.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/data_folder.h"
#include "cmd/pontoon/storage.h"
#include "kv/store/kv_store.h"
#include "raft/env/executor.h"
#include "raft/node/raft_node.h"
#include "raft/transport/grpc_transport.h"

namespace pontoon {

// Owns the log, the state, the node, and the server that the peers talk to.
//
// Thread safety: one thread; the parts that it hands out have their own rules.
class ReplicaHost {
 public:
  // Opens what is in `folder`, which must outlive the host. An error is one line for the operator.
  static absl::StatusOr<std::unique_ptr<ReplicaHost>> Open(const DataFolder& folder);
  // Stops, if that was not done.
  ~ReplicaHost();

  // Takes part in the cluster from now on. An error is one line for the operator.
  absl::Status Join(const Config& config);

  // Null before Join.
  raft::RaftNode* node() const { return node_.get(); }
  kv::KvStore* store() const { return storage_.store.get(); }

  // Hands the leadership over, if this node has it and there is somebody to take it, so that the
  // clients of the cluster do not have to wait for an election timeout. Waits no longer than
  // `timeout`.
  void HandOver(absl::Duration timeout);

  // Leaves the cluster's work. Everybody who waits for an answer gets one.
  void Stop();

 private:
  explicit ReplicaHost(const Identity& identity) : identity_(identity) {}

  absl::Status StartPeerServer(const Config& config);
  void StartNode(const Config& config);

  const Identity& identity_;            // the folder's
  std::unique_ptr<Executor> scrubber_;  // the store posts there; may go before it
  Storage storage_;
  std::unique_ptr<raft::GrpcTransport> transport_;
  std::unique_ptr<grpc::Server> peer_server_;
  std::unique_ptr<raft::RaftNode> node_;
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_REPLICA_HOST_H_
