// ClusterTest: whole nodes on threads, in one process, for tests that read as scripts.

#ifndef PONTOON_RAFT_NODE_TESTING_CLUSTER_FIXTURE_H_
#define PONTOON_RAFT_NODE_TESTING_CLUSTER_FIXTURE_H_

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "raft/base/membership.h"
#include "raft/base/membership_change.h"
#include "raft/base/types.h"
#include "raft/node/raft_node.h"
#include "raft/node/replica.h"
#include "raft/node/testing/in_memory.h"

namespace pontoon::raft {

inline constexpr absl::Duration kGatherDelay = absl::Milliseconds(7);
// What a test waits for comes within this time, or not at all.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

Payload Command(const std::string& text);

// What a node finds that starts on `log` with an empty state, in a cluster that was founded as
// `founding`.
RestoredState RestoredFrom(const MemoryLog& log, const Membership& founding);

// Of a node that notices things quickly; no number of a request is used in two lives.
RaftNodeOptions QuickOptions(NodeId self, uint64_t life = 1);

// Something that happens once. (Not absl::Notification, whose locks the thread sanitizer cannot see
// in Debian's library.)
class Event {
 public:
  void Happen();
  bool Await(absl::Duration timeout);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool happened_ = false;
};

// Three founding members, each with its log, which outlives it; others may join.
class ClusterTest : public ::testing::Test {
 protected:
  struct Member {
    MemoryLog log;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<RaftNode> node;
    uint64_t lives = 0;
    Event removed;
    std::mutex mutex;
    std::condition_variable peers_changed;
    PeerUrls peers;  // guarded by mutex
  };

  explicit ClusterTest(const LogRetention& retention = {});
  ~ClusterTest() override;

  static PeerUrls::value_type UrlOf(NodeId id);
  static Membership Founding();

  // Starts with an empty state: the log gives it back. One that is no founder knows nobody.
  void StartMember(NodeId id);
  void StopMember(NodeId id);

  RaftNode& node(NodeId id) { return *members_[id].node; }
  std::vector<std::string> commands(NodeId id) { return members_[id].journal->commands(); }
  static Instant Deadline() { return Clock::System()->Now() + kPatience; }

  ProposeOutcome Propose(NodeId id, const std::string& command);
  static absl::Status Await(const std::function<void(ReadCallback)>& call);
  absl::Status Read(NodeId id);
  absl::Status Transfer(NodeId from, NodeId to);
  // Asks `id` for the changes.
  ChangeOutcome Change(NodeId id, std::vector<MembershipChange> changes);
  // Waits until `id` was told of these peers.
  void AwaitPeers(NodeId id, const std::vector<NodeId>& peers);
  // A read that succeeds on any node shows that there is a leader, and that the node knows it.
  NodeId AwaitLeader(NodeId ask);
  static std::vector<NodeId> Others(NodeId than);

  static constexpr std::array<NodeId, 3> kIds = {NodeId(1), NodeId(2), NodeId(3)};

  const LogRetention retention_;
  LocalNetwork network_;
  std::map<NodeId, Member> members_;
};

// Nodes that keep next to nothing of their logs.
class ShortLogTest : public ClusterTest {
 protected:
  ShortLogTest() : ClusterTest({.step_entries = 1, .keep_entries = 0, .keep_bytes = 0}) {}

  // Writes at `writer` until the logs of `nodes` begin after `index`.
  void WriteUntilDropped(LogIndex index, NodeId writer, const std::vector<NodeId>& nodes);

 private:
  int writes_ = 0;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_TESTING_CLUSTER_FIXTURE_H_
