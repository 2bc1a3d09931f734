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
  // A follower that hears nothing for between one and one and a half of these asks for votes; a
  // leader that hears of no quorum for one of these steps down.
  absl::Duration election_timeout = absl::Milliseconds(1000);
  // For so long after a heartbeat that a quorum acknowledged was sent, the leader answers reads by
  // itself; for so long, stretched by the error of the clocks, who acknowledged it votes for nobody
  // else. Zero: no leases. Must be the same on all members.
  absl::Duration lease_duration = absl::ZeroDuration();
  // The clocks of the members run at rates between 1 - this and 1 + this. A clock that runs outside
  // of it can make a lease read stale; nothing else depends on it.
  double clock_rate_error_max = 0.001;
  // Which members are preferred as leader: who leads hands over to a voter of a higher priority
  // that keeps up, once it has led in peace for kSettledTimeouts election timeouts. A preference
  // only: any voter may lead.
  uint32_t priority = 0;
  static constexpr int kSettledTimeouts = 5;
  // Nothing is proposed while a leader hands over. So if that comes to nothing the next attempt
  // waits twice as long, and so on, up to this many times as long; but not if another node is
  // preferred by then.
  int hand_over_delay_growth_max = 64;
  // How long a leader waits for a next append to carry a new commit index before it sends the index
  // alone.
  absl::Duration commit_notice_delay = absl::Milliseconds(2);

  // While an append is unanswered, entries gather for the next one: until the answer comes, until
  // they count this many bytes, or until the first of them has waited this long. So a busy leader
  // sends few large messages, and an idle one sends at once. Zero: nothing waits. RaftNode gathers
  // proposals, and a follower's reads, as long before it gives them to the core.
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

  // For how long, on its own clock, a node that acknowledged a heartbeat withholds its vote: until
  // the leader's lease has ended on the leader's clock, the one being as fast and the other as slow
  // as can be.
  absl::Duration VotePromise() const {
    return lease_duration * ((1 + clock_rate_error_max) / (1 - clock_rate_error_max));
  }

  // For how long a leader leads before it hands over to a preferred node for the first time.
  absl::Duration HandOverDelay() const { return kSettledTimeouts * election_timeout; }

  // What is wrong with these options, in words for the person who set them.
  absl::Status Validate() const;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_OPTIONS_H_
