// NodeInstruments: what a node counts and times.

#ifndef PONTOON_RAFT_NODE_NODE_INSTRUMENTS_H_
#define PONTOON_RAFT_NODE_NODE_INSTRUMENTS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "raft/base/instant.h"
#include "raft/core/ready.h"
#include "raft/env/instruments.h"
#include "raft/node/round_trips.h"

namespace pontoon::raft {

// Of the commands that this node's clients proposed here.
struct ProposalInstruments {
  Counter applied;
  // Not applied, and never will be.
  Counter no_leader;
  Counter overloaded;
  Counter stopped;
  // Nobody here knows whether they were or will be applied.
  Counter unknown;
  Counter forwarded;  // attempts that were sent to the leader
  std::atomic<size_t> waiting = 0;
};

// Of the writes to the log.
struct LogWriteInstruments {
  DurationHistogram durations;  // each with its sync; batches that waited together are one write
  // When the write that is under way began; InfinitePast: none is.
  std::atomic<int64_t> begun_nanos = Instant::InfinitePast().nanos();
};

struct SnapshotInstruments {
  Counter bytes_sent;
  Counter sent;
  Counter send_failures;
  Counter bytes_received;
  Counter received;
};

// Thread safety: everybody may read and record at any time, without a lock but for the round trips.
struct NodeInstruments {
  Counter leader_changes;                          // that this node has heard of, the first one too
  std::array<Counter, kElectionCauses> elections;  // that this node began, by ElectionCause
  ProposalInstruments proposals;
  LogWriteInstruments log_writes;
  // On the leader, from the append of the oldest entry to the commit of those that are committed
  // together.
  DurationHistogram commits;
  DurationHistogram applies;  // of a batch to the state machine
  Counter entries_applied;
  Counter lease_reads_held;    // questions that the leader's lease answered
  Counter lease_reads_missed;  // and those that took a round
  SnapshotInstruments snapshots;
  RoundTrips round_trips;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_NODE_INSTRUMENTS_H_
