// CoreOptions: what a node of the protocol is told once.

#ifndef PONTOON_RAFT_CORE_OPTIONS_H_
#define PONTOON_RAFT_CORE_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "raft/base/types.h"

namespace pontoon::raft {

struct CoreOptions {
  NodeId self;

  absl::Duration heartbeat_interval = absl::Milliseconds(100);
  // A follower that hears nothing for between one and two of these asks for votes; a leader that
  // hears of no quorum for one of these steps down.
  absl::Duration election_timeout = absl::Milliseconds(1000);
  // How long a leader waits for a next append to carry a new commit index before it sends the index
  // alone.
  absl::Duration commit_notice_delay = absl::Milliseconds(2);

  // While an append is unanswered, entries gather for the next one: until the answer comes, until
  // they count this many bytes, or until the first of them has waited this long. So a busy leader
  // sends few large messages, and an idle one sends at once. Zero: nothing waits.
  absl::Duration append_gather_delay = absl::Milliseconds(5);
  size_t append_gather_bytes = 64 << 10;

  // Bounds on what is sent to one follower and not yet acknowledged.
  size_t inflight_messages_max = 256;
  size_t inflight_bytes_max = 8 << 20;
  // The most bytes of entries in one AppendRequest; a larger entry travels alone.
  size_t append_bytes_max = 1 << 20;
  // Entries kept in memory for followers that are a little behind. What the disk or the applier
  // still needs is kept beyond this bound.
  size_t window_bytes_max = 8 << 20;
  // A leader refuses proposals while it has more than this uncommitted.
  size_t uncommitted_bytes_max = 64 << 20;

  uint64_t seed = 0;  // of the election timeouts; give each node another one

  // What is wrong with these options, in words for the person who set them.
  absl::Status Validate() const;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_OPTIONS_H_
