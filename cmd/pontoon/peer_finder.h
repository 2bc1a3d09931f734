// PeerFinder: finds the cluster again for a member that has lost touch with it.

#ifndef PONTOON_CMD_PONTOON_PEER_FINDER_H_
#define PONTOON_CMD_PONTOON_PEER_FINDER_H_

#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/pontoon/peer_book.h"
#include "raft/base/membership.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"
#include "raft/transport/grpc_transport.h"
#include "raft/transport/introduction.h"

namespace pontoon {

// Where the members are is in the log. So a member that was away while others came, left or moved
// knows neither a leader that came meanwhile, whose stream it does not let in, nor that it was
// removed itself, since nobody speaks to it any more. While it sees no leader it asks those that it
// does know, one after the other, for the members of now, which a quorum has to confirm.
//
// The answers of a member that was wiped do not count: several of them may be a quorum that has
// forgotten everything, this member included. To be removed is for good, so that takes the word of
// a member that was met before.
//
// Thread safety: Start is called once; the rest happens on the executor, which must be gone before
// the finder.
class PeerFinder {
 public:
  static constexpr absl::Duration kLookInterval = absl::Seconds(1);
  // So many looks in a row without a leader: elections are over sooner.
  static constexpr int kQuietLooks = 3;

  // Whom this member dials, itself not among them.
  using Addresses = std::function<raft::PeerAddresses()>;
  // Asks the member at "host:port"; may wait for a moment.
  using Ask = std::function<absl::StatusOr<raft::IntroductionAnswer>(const std::string& address)>;

  struct Parts {
    const raft::Replica* replica;  // these four are borrowed
    PeerBook* peers;
    const Clock* clock;
    Executor* executor;
    Addresses addresses;
    Ask ask;
    // The members, by the committed log up to `index`.
    std::function<void(const PeerUrls& members, LogIndex index)> on_found;
    // This member is none of them, and never will be again. Called once.
    std::function<void()> on_removed;
  };

  explicit PeerFinder(Parts parts) : parts_(std::move(parts)) {}

  void Start();

 private:
  void Look();
  // False if there is nothing more to find out.
  bool AskNext();
  bool Take(const raft::IntroductionAnswer& answer);
  // Whether what the member that was asked has answered is to be believed.
  absl::Status Check(const raft::IntroductionAnswer& answer) const;

  const Parts parts_;
  int quiet_looks_ = 0;
  NodeId last_asked_;
  PeerUrls last_found_;
  std::map<NodeId, std::string> disbelieved_;  // why, as logged already
};

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_PEER_FINDER_H_
