// SimOptions: what a seed decides about a run before it begins.

#ifndef PONTOON_TESTS_SIM_OPTIONS_H_
#define PONTOON_TESTS_SIM_OPTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "raft/base/membership.h"
#include "raft/core/options.h"
#include "raft/node/log_compactor.h"
#include "raft/node/snapshot_sender.h"

namespace pontoon::sim {

struct NetworkOptions {
  absl::Duration delay_least = absl::Microseconds(50);
  absl::Duration delay_most = absl::Milliseconds(2);
  uint64_t loss_per_million = 0;
  uint64_t doubled_per_million = 0;
  // Some messages come this late at most, after others that were sent later.
  uint64_t late_per_million = 0;
  absl::Duration late_most = absl::Seconds(2);
  // Whether what is not late comes in the order in which it was sent, as on a stream.
  bool in_order = true;
  // One message in so many goes through the bytes of the wire; 1: all.
  uint64_t coded_one_in = 16;
  // Whether old messages may come once more, long after.
  bool replays = false;
  // The chance that a node hears of a connection that broke.
  uint64_t told_of_break_percent = 50;
};

struct DiskOptions {
  absl::Duration sync_least = absl::Microseconds(100);
  absl::Duration sync_most = absl::Milliseconds(2);
  uint64_t segment_bytes = 16 << 10;
  uint64_t frame_bytes_max = 16 << 20;
};

struct ClientOptions {
  size_t clients = 4;
  uint32_t keys = 8;
  absl::Duration think_most = absl::Milliseconds(50);
  absl::Duration deadline_least = absl::Milliseconds(300);
  absl::Duration deadline_most = absl::Seconds(4);
  uint64_t read_percent = 40;
  uint64_t delete_percent = 10;
  uint64_t compare_percent = 15;
  size_t padding_most = 100;
  // After so many operations they slow down: a log that is long makes each restart slow, and is no
  // more interesting.
  uint64_t operations_most = 3000;
};

// Users of leases, and the lessors.
struct LeaseOptions {
  size_t holders = 0;
  uint64_t ttl_least_seconds = 1;
  uint64_t ttl_most_seconds = 10;
  absl::Duration look_interval = absl::Milliseconds(100);
  absl::Duration checkpoint_interval = absl::Seconds(3);
  // A leader that was confirmed stands still before it answers once in so many times; 0: never.
  uint64_t standstill_one_in = 0;
};

// What the nemesis may do.
enum class Trouble : size_t {
  kPartition,
  kProcessCrash,
  kPowerLoss,
  kPowerCutWithinWrite,
  kAllPowerLost,
  kFailedSync,
  kFailedWrite,
  kPause,
  kDiskStall,
  kSlowApply,
  kCleanStop,
  kTransfer,
  kReplay,
  kStateLost,
  kDiskFull,
  kBitRot,
  kCount,
};

// What may be plotted against a leader, in several steps: see Plots.
enum class Plot : size_t {
  kUsurpation,
  kStrangers,
  kHandover,
  kFigureEight,
  kCount,
};

// A swarm (Groce et al., "Swarm testing", ISSTA 2012): each run has some of the faults, some of the
// features and its own sizes. Runs in which everything is on at once find less, since one fault
// hides what another would show.
struct SimOptions {
  uint64_t seed = 0;
  size_t nodes = 3;
  size_t founders = 3;  // the first of the nodes; the others are spare
  absl::Duration change_every = absl::ZeroDuration();  // of the membership; zero: it stays
  NodeId preferred;                                    // as leader; kNoNode: nobody is
  raft::CoreOptions core;  // but for the node, its priority and its seed
  NetworkOptions network;
  DiskOptions disk;
  ClientOptions client;
  raft::LogRetention retention;
  raft::SnapshotSendOptions snapshots;
  int64_t clock_rate_ppm_most = 0;
  bool clocks_at_the_bound = false;  // each is as wrong as it may be, one way or the other
  bool level_db = false;             // the real store, on LevelDB, instead of its model
  absl::Duration store_sync_every = absl::Seconds(2);
  // Only with the real store, since it is that store that is tried.
  LeaseOptions leases;
  absl::Duration compact_every = absl::ZeroDuration();  // zero: nobody does

  absl::Duration safety_phase = absl::Seconds(30);
  absl::Duration trouble_every = absl::Seconds(1);
  absl::Duration downtime_most = absl::Seconds(3);
  std::array<uint64_t, static_cast<size_t>(Trouble::kCount)> trouble_weights{};
  std::array<uint64_t, static_cast<size_t>(Plot::kCount)> plot_weights{};
  bool minority_stays_down = false;  // in the liveness phase

  double ClockRateErrorMax() const { return static_cast<double>(clock_rate_ppm_most) / 1e6; }
  // Who votes in the beginning.
  Membership FoundingMembership() const;
  static SimOptions FromSeed(uint64_t seed);
  std::string Describe() const;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_OPTIONS_H_
