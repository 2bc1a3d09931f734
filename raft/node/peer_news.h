// PeerNews: what a node tells about its peers.

#ifndef PONTOON_RAFT_NODE_PEER_NEWS_H_
#define PONTOON_RAFT_NODE_PEER_NEWS_H_

#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Everybody whom a node may have to reach, by its log up to the entry `index`, of which all up to
// `commit` is known to be committed.
struct PeerNews {
  PeerUrls urls;
  LogIndex index;
  LogIndex commit;

  friend bool operator==(const PeerNews&, const PeerNews&) = default;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_PEER_NEWS_H_
