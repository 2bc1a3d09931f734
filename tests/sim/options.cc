#include "tests/sim/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/dice.h"
#include "tests/sim/fingerprint.h"

namespace pontoon::sim {
namespace {

constexpr uint64_t kThousand = 1000;

NetworkOptions DrawNetwork(Dice* dice) {
  NetworkOptions network;
  network.delay_least = dice->Between(absl::Microseconds(20), absl::Microseconds(500));
  network.delay_most =
      network.delay_least + dice->Skewed(absl::Microseconds(100), absl::Milliseconds(40));
  if (dice->OneIn(2)) network.loss_per_million = dice->Between(1, 30) * 10 * kThousand;
  if (dice->OneIn(8)) network.loss_per_million = dice->Between(1, 300) * kThousand;
  if (dice->OneIn(2)) network.doubled_per_million = dice->Between(1, 200) * kThousand;
  if (dice->OneIn(2)) network.late_per_million = dice->Between(1, 30) * kThousand;
  network.late_most = dice->Skewed(absl::Milliseconds(50), absl::Seconds(10));
  network.in_order = dice->OneIn(2);
  network.coded_one_in = dice->OneIn(8) ? 1 : 16;
  network.replays = dice->OneIn(2);
  network.told_of_break_percent = dice->OneIn(3) ? 0 : dice->Below(101);
  return network;
}

DiskOptions DrawDisk(Dice* dice) {
  DiskOptions disk;
  disk.sync_least = dice->Between(absl::Microseconds(20), absl::Microseconds(500));
  disk.sync_most = disk.sync_least + dice->Skewed(absl::Microseconds(100), absl::Milliseconds(60));
  static constexpr uint64_t kSegmentBytes[] = {1 << 10, 4 << 10, 16 << 10, 64 << 10};
  disk.segment_bytes = dice->OneIn(10) ? 256 : dice->Pick(kSegmentBytes);
  if (dice->OneIn(4)) disk.frame_bytes_max = dice->Between(64, 2048);
  return disk;
}

ClientOptions DrawClients(Dice* dice) {
  ClientOptions client;
  client.clients = dice->Between(1, 8);
  client.keys = static_cast<uint32_t>(dice->Between(1, 24));
  client.think_most = dice->Skewed(absl::Milliseconds(5), absl::Seconds(1));
  client.operations_most = dice->Between(300, 3000);
  client.deadline_least = dice->Between(absl::Milliseconds(50), absl::Seconds(1));
  client.deadline_most =
      client.deadline_least + dice->Between(absl::Milliseconds(1), absl::Seconds(6));
  client.read_percent = dice->Between(10, 70);
  client.delete_percent = dice->OneIn(3) ? 0 : dice->Between(1, 20);
  client.compare_percent = dice->OneIn(3) ? 0 : dice->Between(1, 40);
  client.padding_most = dice->OneIn(3) ? dice->Between(1, 4000) : dice->Below(60);
  return client;
}

raft::CoreOptions DrawCore(Dice* dice) {
  raft::CoreOptions core;
  core.election_timeout = dice->Between(absl::Milliseconds(150), absl::Seconds(1));
  core.heartbeat_interval = core.election_timeout / static_cast<int64_t>(dice->Between(3, 10));
  if (dice->OneIn(2)) core.window_bytes_max = 100 * dice->Below(40);
  if (dice->OneIn(2)) core.append_bytes_max = dice->Between(50, 1000);
  if (dice->OneIn(3)) core.inflight_messages_max = dice->Between(1, 4);
  if (dice->OneIn(3)) core.inflight_bytes_max = dice->Between(100, 5000);
  if (dice->OneIn(4)) core.uncommitted_bytes_max = dice->Between(100, 20000);
  // The preferred leader must lead soon after the faults have ended, however many attempts failed.
  core.hand_over_delay_growth_max = 4;
  if (dice->OneIn(3)) core.append_gather_delay = absl::ZeroDuration();
  if (dice->OneIn(3)) core.append_gather_bytes = dice->Between(64, 2000);
  if (dice->OneIn(3))
    core.commit_notice_delay = dice->Skewed(absl::ZeroDuration(), core.heartbeat_interval);
  return core;
}

// A log that is short, so that whoever is away needs a snapshot.
void DrawSnapshots(Dice* dice, SimOptions* options) {
  raft::LogRetention& retention = options->retention;
  retention.step_entries = dice->Skewed(1, 300);
  retention.step_bytes = dice->Skewed(1 << 10, 1 << 20);
  retention.keep_entries = dice->OneIn(3) ? 0 : dice->Skewed(1, 200);
  retention.keep_bytes = dice->OneIn(2) ? 0 : dice->Skewed(1 << 10, 1 << 20);
  raft::SnapshotSendOptions& snapshots = options->snapshots;
  snapshots.chunk_bytes = dice->Skewed(512, 64 << 10);
  snapshots.window_bytes = dice->Skewed(2 << 10, 256 << 10);
  snapshots.bytes_per_second = dice->Skewed(128 << 10, 64 << 20);
  snapshots.resend_after = dice->Skewed(absl::Milliseconds(50), absl::Seconds(2));
  snapshots.give_up_after = snapshots.resend_after * static_cast<int64_t>(dice->Between(2, 10));
  // All nodes must have caught up soon after the troubles have ended.
  snapshots.retry_after_max = dice->Skewed(snapshots.retry_after, absl::Seconds(5));
}

void DrawTroubles(Dice* dice, SimOptions* options) {
  const auto end = options->trouble_weights.begin() + static_cast<ptrdiff_t>(Trouble::kDiskFull);
  for (auto weight = options->trouble_weights.begin(); weight != end; ++weight) {
    *weight = dice->OneIn(2) ? 0 : dice->Between(1, 10);
  }
  if (dice->OneIn(20)) options->trouble_weights = {};  // a quiet run shows other things
  options->trouble_every = dice->Skewed(absl::Milliseconds(100), absl::Seconds(5));
  options->downtime_most = dice->Skewed(absl::Milliseconds(100), absl::Seconds(15));
  options->minority_stays_down = dice->OneIn(4);
}

// Spare machines, and operators who are never content. What a minority may be, and whether anybody
// else has the state, cannot be said beforehand then.
void DrawChanges(Dice* dice, SimOptions* options) {
  options->nodes += dice->Between(1, 4);
  options->change_every = dice->Skewed(absl::Milliseconds(200), absl::Seconds(8));
  options->trouble_weights[static_cast<size_t>(Trouble::kStateLost)] = 0;
  options->minority_stays_down = false;
}

// A machine whose log is damaged never comes back. So there must be enough others, whose state is
// not lost meanwhile.
void DrawDiskTroubles(Dice* dice, SimOptions* options) {
  const auto weight = [options](Trouble trouble) -> uint64_t& {
    return options->trouble_weights[static_cast<size_t>(trouble)];
  };
  if (dice->OneIn(4)) weight(Trouble::kDiskFull) = dice->Between(1, 10);
  const bool may_rot = options->nodes >= 3 && weight(Trouble::kStateLost) == 0 &&
                       options->change_every == absl::ZeroDuration();
  if (dice->OneIn(8) && may_rot) weight(Trouble::kBitRot) = dice->Between(1, 10);
}

// As long as the clocks allow. They run as wrong as the core is told that they may, and no wronger.
void DrawLease(Dice* dice, SimOptions* options) {
  raft::CoreOptions& core = options->core;
  constexpr double kErrorLeast = 1e-4;
  const double error = std::max(options->ClockRateErrorMax(), kErrorLeast);
  const absl::Duration longest = core.election_timeout * ((1 - error) / (1 + error) * 0.99);
  const absl::Duration shortest = core.heartbeat_interval * 1.1;
  if (shortest >= longest) return;
  core.clock_rate_error_max = error;
  core.lease_duration = dice->Between(shortest, longest);
}

// A plot fails if too much else goes on, and so there is little else in most of these runs.
void DrawPlots(Dice* dice, SimOptions* options) {
  for (uint64_t& weight : options->plot_weights) weight = dice->OneIn(3) ? 0 : dice->Between(1, 10);
  options->founders = std::max<size_t>(options->founders, 3);
  options->nodes = std::max(options->nodes, options->founders);
  if (!dice->OneIn(4)) options->trouble_weights = {};
  if (!dice->OneIn(4)) {
    NetworkOptions& network = options->network;
    network.loss_per_million = network.late_per_million = 0;
    network.delay_most = std::min(network.delay_most, network.delay_least + absl::Milliseconds(4));
    DiskOptions& disk = options->disk;
    disk.sync_most = std::min(disk.sync_most, disk.sync_least + absl::Milliseconds(4));
  }
  if (dice->OneIn(2)) {  // each entry travels alone
    options->core.append_bytes_max = 1;
    options->core.inflight_messages_max = dice->Between(1, 2);
  }
  if (dice->OneIn(2)) {
    options->clock_rate_ppm_most = static_cast<int64_t>(dice->Between(5000, 100000));
    options->clocks_at_the_bound = true;
    // With many heartbeats the last promise begins shortly before its leader is cut off, so that
    // only the clocks make it longer than the lease, or not.
    options->core.heartbeat_interval =
        options->core.election_timeout / static_cast<int64_t>(dice->Between(5, 20));
  }
  options->core.lease_duration = absl::ZeroDuration();
  if (!dice->OneIn(4)) DrawLease(dice, options);
}

// A lease lives on while a leader is elected, as the service sees to it. What is noted of it comes
// later than what it has more from each new leader, or a lease with checkpoints could live for
// ever.
void DrawLeases(Dice* dice, LeaseOptions* leases, absl::Duration election_timeout) {
  leases->holders = dice->Between(1, 4);
  leases->ttl_least_seconds = static_cast<uint64_t>(
      absl::ToInt64Seconds(absl::Ceil(election_timeout * 1.5, absl::Seconds(1))));
  leases->ttl_most_seconds =
      leases->ttl_least_seconds + (dice->OneIn(2) ? dice->Between(5, 30) : dice->Between(1, 5));
  leases->look_interval = dice->Between(absl::Milliseconds(10), election_timeout / 3);
  leases->checkpoint_interval =
      election_timeout + dice->Between(absl::Seconds(1), absl::Seconds(3));
  if (dice->OneIn(2)) leases->standstill_one_in = dice->Between(2, 10);
}

}  // namespace

SimOptions SimOptions::FromSeed(uint64_t seed) {
  Dice dice(seed);
  SimOptions options;
  options.seed = seed;
  static constexpr size_t kSizes[] = {1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7};
  options.founders = options.nodes = dice.Pick(kSizes);
  options.core = DrawCore(&dice);
  options.network = DrawNetwork(&dice);
  options.disk = DrawDisk(&dice);
  options.client = DrawClients(&dice);
  if (dice.OneIn(2)) {
    options.clock_rate_ppm_most =
        static_cast<int64_t>(dice.OneIn(3) ? dice.Below(50000) : dice.Below(500));
  }
  options.level_db = dice.OneIn(8);
  options.store_sync_every = dice.Skewed(absl::Milliseconds(50), absl::Seconds(30));
  options.safety_phase = dice.Between(absl::Seconds(10), absl::Seconds(60));
  if (!dice.OneIn(3)) DrawSnapshots(&dice, &options);
  DrawTroubles(&dice, &options);
  if (dice.OneIn(2)) DrawLease(&dice, &options);
  if (dice.OneIn(3)) DrawChanges(&dice, &options);
  if (dice.OneIn(5)) options.preferred = NodeId(dice.Between(1, options.nodes));
  Dice disk_dice(Mix(seed, "disk troubles"));
  DrawDiskTroubles(&disk_dice, &options);
  Dice plot_dice(Mix(seed, "plots"));
  if (plot_dice.OneIn(4)) DrawPlots(&plot_dice, &options);
  if (options.level_db) {
    Dice store_dice(Mix(seed, "leases and compactions"));
    if (!store_dice.OneIn(4)) {
      DrawLeases(&store_dice, &options.leases, options.core.election_timeout);
    }
    if (!store_dice.OneIn(4)) {
      options.compact_every = store_dice.Skewed(absl::Milliseconds(200), absl::Seconds(10));
    }
  }
  return options;
}

Membership SimOptions::FoundingMembership() const {
  Membership membership;
  for (size_t node = 1; node <= founders; ++node) membership.voters.push_back(NodeId(node));
  return membership;
}

std::string SimOptions::Describe() const {
  return absl::StrCat(
      "seed ", seed, ": ", nodes, " nodes, ", founders, " of them in the beginning, changes every ",
      absl::FormatDuration(change_every), ", election timeout ",
      absl::FormatDuration(core.election_timeout), ", heartbeat ",
      absl::FormatDuration(core.heartbeat_interval), ", lease ",
      absl::FormatDuration(core.lease_duration), ", network ",
      absl::FormatDuration(network.delay_least), " to ", absl::FormatDuration(network.delay_most),
      ", loss ", network.loss_per_million / kThousand, " per mille, ", client.clients, " clients, ",
      client.keys, " keys, log kept from ", retention.keep_entries, " entries, ",
      level_db ? "LevelDB" : "model store", ", ", leases.holders, " holders of leases for up to ",
      leases.ttl_most_seconds, " s, compactions every ", absl::FormatDuration(compact_every),
      ", trouble every ", absl::FormatDuration(trouble_every), " for ",
      absl::FormatDuration(safety_phase));
}

}  // namespace pontoon::sim
