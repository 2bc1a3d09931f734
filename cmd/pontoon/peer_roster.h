// PeerRoster: keeps the transport's peers in step with the membership.

#ifndef PONTOON_CMD_PONTOON_PEER_ROSTER_H_
#define PONTOON_CMD_PONTOON_PEER_ROSTER_H_

#include <functional>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/membership.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/transport/grpc_transport.h"

namespace pontoon {

// A peer is dialled at the first of its addresses. Who leaves stays a peer for a while: the last
// message to it says that it has left, and is still on its way.
//
// Thread safety: all methods may be called from any thread, and do not wait. The rest happens on
// the executor, which must be gone before the roster.
class PeerRoster {
 public:
  static constexpr absl::Duration kFarewell = absl::Seconds(1);

  // Told, on the executor, whom to dial.
  using Listener = std::function<void(const raft::PeerAddresses&)>;

  // Borrows `clock` and `executor`.
  PeerRoster(const Clock* clock, Executor* executor, Listener listener)
      : clock_(clock), executor_(executor), listener_(std::move(listener)) {}

  // Everybody whom this member may have to reach, from now on.
  void OnPeers(const PeerUrls& peers);

  // What others say who the members are. It counts for each of them until OnPeers has news of that
  // one: this member's log is behind theirs, and will come to the same.
  void OnHearsay(const PeerUrls& members);

  // Of a node that joins: who it was told that the members are, itself included. Its log begins
  // before it was added, and so may be replayed through configurations in which some of them were
  // not members yet: until it comes to one with `self` in it, they all count. To be called before
  // OnPeers, if at all.
  void OnIntroduced(NodeId self, const PeerUrls& members);

  // The listener is told from now on, and of what came before. To be called once.
  void Begin();

 private:
  struct Leaver {
    std::string address;
    Instant until;
  };

  void Update(const PeerUrls& peers);
  void ForgetHearsay(const raft::PeerAddresses& before);
  void DropLeavers();
  void Tell();

  const Clock* const clock_;
  Executor* const executor_;
  const Listener listener_;

  // On the executor only.
  bool begun_ = false;
  raft::PeerAddresses addresses_;  // by the membership
  raft::PeerAddresses heard_;
  raft::PeerAddresses introduced_;    // what a node that joins begins with
  NodeId awaited_;                    // not kNoNode: the log does not have this node's addition yet
  std::map<NodeId, Leaver> leavers_;  // none of them is in addresses_
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_PEER_ROSTER_H_
