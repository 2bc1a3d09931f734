// Many small clusters under random faults, one for each seed, watched by TestCluster after each
// step; then the faults end, and each must come to rest with equal logs.
//
//   bazel run //raft/core:random_test -- --seeds=1..100000

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "raft/base/prng.h"
#include "raft/core/testing/test_cluster.h"

namespace pontoon::raft {
namespace {

uint64_t first_seed = 1;
uint64_t last_seed = 600;
bool print_events = false;

// The seed that is running, for the case that a CHECK of the core ends the process.
volatile uint64_t running_seed = 0;

void PrintSeed(int) {
  std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(running_seed));
}

class Chaos {
 public:
  explicit Chaos(uint64_t seed)
      : prng_(seed), options_(RandomOptions(seed)), cluster_(options_, Sink()) {
    loss_percent_ = Below(3) == 0 ? Below(30) : 0;
    duplicate_percent_ = Below(2) == 0 ? Below(20) : 0;
    reorder_percent_ = Below(2) == 0 ? Below(60) : 0;
    crash_chance_ = Below(3) != 0 ? Below(15) : 0;
    partition_chance_ = Below(3) != 0 ? 1 + Below(4) : 0;
    compactions_ = Below(2) == 0;
    slow_disk_ = Below(3) == 0;
    slow_clock_ = Below(2) == 0 ? AnyNode() : kNoNode;
    for (size_t i = 0; i < options_.nodes; ++i) {
      const double error = options_.core.clock_rate_error_max;
      clock_rates_.push_back(1 - error + 2 * error * static_cast<double>(Below(1001)) / 1000);
    }
    time_step_ms_ = 5 + Below(60);
    skip_one_in_ = 3 + Below(60);
  }

  void Run() {
    constexpr int kSteps = 3000;
    for (int i = 0; i < kSteps && !broken(); ++i) Step();
    if (!broken()) HealAndConverge();
  }

  // Why this run failed, or empty.
  std::string failure() const { return cluster_.failure().value_or(failure_); }
  const TestCluster& cluster() const { return cluster_; }

 private:
  uint64_t Below(uint64_t bound) { return prng_.Below(bound); }
  bool Percent(uint64_t percent) { return Below(100) < percent; }
  NodeId AnyNode() { return NodeId(1 + Below(options_.nodes)); }
  bool broken() const { return cluster_.failure() || !failure_.empty(); }

  TestCluster::Sink Sink() {
    if (!print_events) return nullptr;
    return [](const std::string& line) { std::cout << line << "\n"; };
  }

  TestCluster::Options RandomOptions(uint64_t seed) {
    static constexpr size_t kSizes[] = {1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7};
    TestCluster::Options options;
    options.founders = options.nodes = kSizes[Below(std::size(kSizes))];
    if (Below(3) == 0) options.nodes += 1 + Below(3);  // who may join
    if (Below(4) == 0) options.priorities[NodeId(1 + Below(options.nodes))] = 1;
    options.seed = seed;
    options.core.election_timeout = absl::Milliseconds(150 + Below(850));
    options.core.heartbeat_interval = options.core.election_timeout / (2 + Below(4));
    // Attempts that failed do not put off the next one until long after the faults have ended.
    options.core.hand_over_delay_growth_max = 1;
    if (Below(2) == 0) options.core.window_bytes_max = 100 * Below(10);
    if (Below(2) == 0) options.core.append_bytes_max = 50 + Below(300);
    if (Below(3) == 0) options.core.inflight_messages_max = 1 + Below(4);
    if (Below(3) == 0) options.core.inflight_bytes_max = 1 + Below(500);
    if (Below(4) == 0) options.core.uncommitted_bytes_max = Below(500);
    if (Below(2) == 0) {
      options.core.clock_rate_error_max = static_cast<double>(Below(200)) / 1000;
      const double error = options.core.clock_rate_error_max;
      const absl::Duration longest = options.core.election_timeout * ((1 - error) / (1 + error));
      const absl::Duration lease = options.core.heartbeat_interval * (1.1 + 0.1 * Below(30));
      if (lease <= longest) options.core.lease_duration = lease;
    }
    return options;
  }

  void Step() {
    const uint64_t dice = Below(1000);
    const NodeId node = AnyNode();
    if (dice < 500) return StepNetwork();
    if (dice < 690) return StepDisk(node);
    if (dice < 800) return StepTime();
    if (dice < 810) return StepSnapshots(node);
    if (dice < 830) return StepPartition();
    if (!cluster_.alive(node)) {
      if (Below(8) == 0) cluster_.Restart(node);
      return;
    }
    if (dice < 850) {
      if (Below(20) < crash_chance_) Crash(node);
    } else if (dice < 920) {
      if (WithChanges() && Below(4) == 0) return Change(node);
      Propose(node);
    } else if (dice < 970) {
      cluster_.BeginRead(node, Below(2) == 0 ? ReadMode::kLease : ReadMode::kQuorum);
    } else if (dice < 990) {
      cluster_.Transfer(node, Below(3) == 0 ? kNoNode : AnyNode());
    } else if (dice < 995) {
      cluster_.ReportUnreachable(node, AnyNode());
    } else {
      cluster_.ReportDown(node, AnyNode());  // true or not
    }
  }

  void StepNetwork() {
    std::vector<Packet>& network = cluster_.network();
    if (network.empty()) return;
    const size_t position = Percent(reorder_percent_) ? Below(network.size()) : 0;
    constexpr size_t kPacketsMax = 300;
    if (Percent(loss_percent_) || network.size() > kPacketsMax) {
      network.erase(network.begin() + position);
      return;
    }
    if (Percent(duplicate_percent_)) KeepForLater(network[position]);
    cluster_.Deliver(position);
    if (!old_packets_.empty() && Below(30) == 0) {
      network.push_back(old_packets_[Below(old_packets_.size())]);
    }
  }

  // The network may bring a message again, terms later.
  void KeepForLater(const Packet& packet) {
    constexpr size_t kOldPacketsMax = 40;
    if (old_packets_.size() < kOldPacketsMax) {
      old_packets_.push_back(packet);
    } else {
      old_packets_[Below(kOldPacketsMax)] = packet;
    }
  }

  void StepDisk(NodeId node) {
    if (slow_disk_ && node == NodeId(1) && Below(20) != 0) return;
    if (cluster_.alive(node) && cluster_.HasLogRead(node) && Below(3) == 0) {
      cluster_.ServeLogRead(node);
    }
    if (Below(4) != 0) cluster_.WriteOne(node);
    if (Below(3) != 0) cluster_.ReportWritten(node);
  }

  void StepSnapshots(NodeId node) {
    if (!cluster_.alive(node)) return;
    if (compactions_) {
      cluster_.Compact(node, LogIndex(Below(cluster_.applied(node).value() + 1)));
    }
    for (const NodeId leader : cluster_.nodes()) {
      if (!cluster_.alive(leader)) continue;
      if (cluster_.HasSnapshotRequest(leader)) cluster_.SendSnapshot(leader);
      if (cluster_.HasTransfers(leader) && Below(4) == 0) cluster_.GiveUpTransfers(leader);
    }
  }

  void StepTime() {
    const bool skip = Below(skip_one_in_) == 0;
    const absl::Duration by = absl::Milliseconds(Below(skip ? 1000 : time_step_ms_));
    for (const NodeId node : cluster_.nodes()) {
      cluster_.AdvanceClock(node, TimeOf(node, by));
      if (Below(5) != 0) cluster_.FireDeadline(node);
    }
  }

  // The clocks run at different rates, some wildly so, and a node that is stalled misses its
  // deadline. Nothing but liveness may depend on that, and leases, which have a bound.
  absl::Duration TimeOf(NodeId node, absl::Duration by) {
    if (WithLeases()) return by * clock_rates_[node.value() - 1];
    return (node == slow_clock_ ? by / 8 : by) + absl::Microseconds(Below(2000));
  }

  bool WithLeases() const { return options_.core.lease_duration > absl::ZeroDuration(); }

  void StepPartition() {
    if (Below(20) >= partition_chance_) return;
    cluster_.Heal();
    if (Below(5) == 0) return;
    const uint64_t side = Below(1 << options_.nodes);
    const bool both_ways = Below(3) != 0;
    for (const NodeId from : cluster_.nodes()) {
      for (const NodeId to : cluster_.nodes()) {
        const bool from_side = side >> (from.value() - 1) & 1;
        const bool to_side = side >> (to.value() - 1) & 1;
        if (from_side == to_side) continue;
        if (both_ways || from_side) cluster_.Cut(from, to);
      }
    }
  }

  void Crash(NodeId node) {
    TestCluster::Remains remains;
    remains.whole_batches = Below(cluster_.pending_batches(node) + 1);
    if (Below(2) == 0) remains.entries_of_next = Below(4);
    if (Below(3) == 0) remains.applied_kept = LogIndex(Below(cluster_.applied(node).value() + 1));
    // One node's at a time: somebody must have it.
    remains.state_lost =
        compactions_ && !WithChanges() && node == NodeId(1) && options_.nodes > 2 && Below(4) == 0;
    cluster_.Crash(node, remains);
  }

  void Propose(NodeId node) {
    std::vector<std::string> payloads;
    for (uint64_t i = 1 + Below(4); i > 0; --i) {
      std::string payload = absl::StrCat("x", ++proposed_);
      if (Below(8) == 0) payload.resize(Below(400) + payload.size(), '.');
      payloads.push_back(std::move(payload));
    }
    cluster_.Propose(node, std::move(payloads));
  }

  bool WithChanges() const { return options_.nodes > options_.founders; }

  void Change(NodeId node) {
    using Kind = MembershipChange::Kind;
    static constexpr Kind kKinds[] = {Kind::kAddVoter, Kind::kAddVoter, Kind::kAddLearner,
                                      Kind::kPromote,  Kind::kPromote,  Kind::kDemote,
                                      Kind::kRemove};
    std::vector<MembershipChange> changes;
    for (uint64_t i = 1 + Below(6) / 4; i > 0; --i) {
      MembershipChange change{kKinds[Below(std::size(kKinds))], AnyNode()};
      const bool adds = change.kind == Kind::kAddVoter || change.kind == Kind::kAddLearner;
      // A node that was removed does not come back under its name.
      if (!adds || !cluster_.WasEverMember(change.node)) changes.push_back(change);
    }
    if (!changes.empty()) cluster_.Change(node, std::move(changes));
  }

  // ---- afterwards

  void Settle() {
    constexpr int kStepsMax = 200'000;
    for (int i = 0; !cluster_.failure() && cluster_.DoOneThing({}); ++i) {
      if (i > kStepsMax) {
        failure_ = "it never settles";
        return;
      }
    }
  }

  bool Converged() const {
    const Membership membership = cluster_.committed_membership();
    if (membership.IsJoint() || !membership.joining.empty()) return false;
    const NodeId first = membership.voters.front();
    size_t leaders = 0;
    for (const NodeId node : cluster_.nodes()) {
      const RaftCore& core = cluster_.core(node);
      leaders += core.role() == Role::kLeader;
      if (!membership.IsLasting(node)) continue;
      if (core.last_index() != cluster_.core(first).last_index()) return false;
      if (core.commit() != core.last_index()) return false;
      if (cluster_.applied(node) != core.commit()) return false;
    }
    return leaders == 1;
  }

  // With no faults any more, and nobody who proposes, the cluster must find a leader and bring
  // every node to the same end.
  void HealAndConverge() {
    if (print_events) std::cout << "-- the faults end\n";
    cluster_.Heal();
    for (const NodeId node : cluster_.nodes()) {
      if (!cluster_.alive(node)) cluster_.Restart(node);
    }
    Settle();
    constexpr int kTimeoutsMax = 20;
    for (int i = 0; i < kTimeoutsMax && !broken(); ++i) {
      RunFor(options_.core.election_timeout);
      if (Converged()) break;
    }
    if (broken()) return;
    if (!Converged()) {
      failure_ = "the healed cluster does not converge";
      return;
    }
    // Who is not preferred hands over; meanwhile it takes no proposals.
    if (!options_.priorities.empty()) {
      RunFor(2 * CoreOptions::kSettledTimeouts * options_.core.election_timeout);
    }
    const size_t commands = cluster_.commands_committed();
    const size_t reads = cluster_.reads_granted();
    const std::vector<NodeId> members = cluster_.committed_membership().AllNodes();
    for (const NodeId node : members) {
      cluster_.Propose(node, {absl::StrCat("last of ", node.value())});
      cluster_.BeginRead(node);
    }
    Settle();
    RunFor(options_.core.election_timeout);
    if (broken()) return;
    const bool all_done = Converged() && cluster_.reads_granted() - reads >= members.size() &&
                          (options_.core.uncommitted_bytes_max < 500 ||
                           cluster_.commands_committed() - commands == members.size());
    if (!all_done) failure_ = "the healed cluster does not serve";
  }

  void RunFor(absl::Duration duration) {
    cluster_.RunClocks(duration, cluster_.nodes(), [this] { Settle(); });
  }

  Prng prng_;
  const TestCluster::Options options_;
  TestCluster cluster_;
  uint64_t loss_percent_, duplicate_percent_, reorder_percent_;
  uint64_t crash_chance_, partition_chance_;  // of 20
  bool compactions_;
  bool slow_disk_;
  NodeId slow_clock_;
  std::vector<double> clock_rates_;  // where there are leases
  uint64_t time_step_ms_;
  uint64_t skip_one_in_;  // of the steps in time, a long one
  std::vector<Packet> old_packets_;
  uint64_t proposed_ = 0;
  std::string failure_;
};

TEST(Random, SafeUnderFaultsAndLiveAfterThem) {
  std::signal(SIGABRT, PrintSeed);
  size_t commands = 0, reads = 0, leaders = 0, snapshots = 0, changes = 0;
  size_t failures = 0;
  for (uint64_t seed = first_seed; seed <= last_seed; ++seed) {
    running_seed = seed;
    Chaos chaos(seed);
    chaos.Run();
    commands += chaos.cluster().commands_committed();
    reads += chaos.cluster().reads_granted();
    leaders += chaos.cluster().leaders_elected();
    snapshots += chaos.cluster().snapshots_installed();
    changes += chaos.cluster().changes_committed();
    constexpr size_t kFailuresMax = 10;
    if (chaos.failure().empty()) continue;
    ADD_FAILURE() << "seed " << seed << ": " << chaos.failure()
                  << "\nSee all of it with --seeds=" << seed << ".." << seed << " --events";
    if (++failures >= kFailuresMax) break;
  }
  std::cout << leaders << " elections, " << commands << " commands, " << reads << " reads, "
            << snapshots << " snapshots, " << changes << " changes of membership\n";
  EXPECT_TRUE(failures > 0 || last_seed - first_seed < 100 ||
              (commands > 0 && reads > 0 && snapshots > 0 && changes > 0));
}

// "A..B"
bool ParseSeeds(absl::string_view words) {
  const std::pair<std::string, std::string> range = absl::StrSplit(words, "..");
  return absl::SimpleAtoi(range.first, &first_seed) && absl::SimpleAtoi(range.second, &last_seed);
}

}  // namespace
}  // namespace pontoon::raft

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (argument == "--events") {
      pontoon::raft::print_events = true;
    } else if (!absl::ConsumePrefix(&argument, "--seeds=") ||
               !pontoon::raft::ParseSeeds(argument)) {
      std::cerr << "usage: random_test [--seeds=A..B] [--events]\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
