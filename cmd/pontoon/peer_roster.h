// PeerRoster: keeps the transport's peers in step with the membership.

#ifndef PONTOON_CMD_PONTOON_PEER_ROSTER_H_
#define PONTOON_CMD_PONTOON_PEER_ROSTER_H_

#include <functional>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/membership.h"
#include "raft/base/types.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/peer_news.h"
#include "raft/transport/greeting.h"
#include "raft/transport/grpc_transport.h"

namespace pontoon {

// A peer is dialled at the first of its addresses. Who leaves stays a peer for a while: the last
// message to it says that it has left, and is still on its way.
//
// This member's log may be behind that of the others, who then know better who the members are, and
// where: hearsay. Which of two pieces of news is the older one the log indexes tell, up to which
// they take the log into account: the later one counts, so that nobody is dialled where it was
// once, or let in although it was removed.
//
// Thread safety: all methods may be called from any thread, and do not wait. The rest happens on
// the executor, which must be gone before the roster.
class PeerRoster {
 public:
  static constexpr absl::Duration kFarewell = absl::Seconds(1);

  // Told, on the executor, whom to dial, and where this member is reached by its own log.
  using Listener = std::function<void(const raft::PeerAddresses&, const raft::Whereabouts& own)>;

  // Borrows `clock` and `executor`.
  PeerRoster(NodeId self, const Clock* clock, Executor* executor, Listener listener)
      : self_(self), clock_(clock), executor_(executor), listener_(std::move(listener)) {}

  // Everybody whom this member may have to reach, from now on.
  void OnPeers(const raft::PeerNews& news);

  // What others say who the members are, by the committed log up to `index`. It counts in addition
  // to OnPeers, and for more, until this member's own log is committed that far. Ignored if that is
  // so already, or if something later was heard.
  void OnHearsay(const PeerUrls& members, LogIndex index);

  // What a peer says where it is itself. It makes nobody a peer, and counts while the peer's log is
  // more up to date than this member's: if an entry of that log is missing here that was committed,
  // this log cannot have entries of a later term. Whether it was committed is not asked, since of
  // members that have just started neither may know. What others say counts for more if it has a
  // later configuration.
  void OnGreeting(const raft::Greeting& greeting);

  // The listener is told from now on, and of what came before. To be called once.
  void Begin();

 private:
  struct Leaver {
    std::string address;
    Instant until;
  };
  struct Report {
    std::string address;
    raft::Greeting greeting;
  };

  void Update(const raft::PeerNews& news);
  void Take(const raft::Greeting& greeting);
  bool IsPeer(NodeId node) const { return addresses_.contains(node) || heard_.contains(node); }
  void DropLeavers();
  void Tell();

  const NodeId self_;
  const Clock* const clock_;
  Executor* const executor_;
  const Listener listener_;

  // On the executor only.
  bool begun_ = false;
  raft::PeerAddresses addresses_;  // by the membership
  LogIndex commit_;                // when that was told
  raft::Whereabouts own_;          // by the same
  raft::PeerAddresses heard_;      // empty unless heard_index_ is later than commit_
  LogIndex heard_index_;
  std::map<NodeId, Report> reports_;  // of peers about themselves, by logs ahead of own_.log_end
  std::map<NodeId, Leaver> leavers_;  // none of them is in addresses_
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_PEER_ROSTER_H_
