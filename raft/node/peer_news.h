// PeerNews: what a node tells about its peers.

#ifndef PONTOON_RAFT_NODE_PEER_NEWS_H_
#define PONTOON_RAFT_NODE_PEER_NEWS_H_

#include "raft/base/membership.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Everybody whom a node may have to reach, by its log, which ends at `log_end` and of which all up
// to `commit` is known to be committed. The entry `index` has told it last.
struct PeerNews {
  PeerUrls urls;
  LogIndex index;
  LogIndex commit;
  LogPosition log_end;

  friend bool operator==(const PeerNews&, const PeerNews&) = default;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_PEER_NEWS_H_
