// TestCluster: some RaftCores, their network and their disks, moved by hand and watched all the
// time.

#ifndef PONTOON_RAFT_CORE_TESTING_TEST_CLUSTER_H_
#define PONTOON_RAFT_CORE_TESTING_TEST_CLUSTER_H_

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/raft_core.h"

namespace pontoon::raft {

// The disk of one node. Batches are written in order; a crash loses those that were not.
struct TestDisk {
  HardState hard_state;
  // log[i] has index i + 1. The entries up to `base` are not on the disk any more: they are kept
  // here to be compared.
  std::vector<Entry> log;
  LogIndex base;

  // `history` is what was committed, up to batch.reset_to at least.
  void Write(const PersistBatch& batch, const std::vector<Entry>& history);
  bool Has(LogPosition position) const;
};

// A message on its way.
struct Packet {
  Message message;
  bool delayed = false;  // left alone until somebody asks for it
};

// Runs the cores of the nodes 1..n. Nothing happens by itself: the owner delivers messages, lets
// disks write and clocks run. After each step it checks what must hold over all nodes and all time:
//
//   a configuration in effect is the last one in the log, and of those that are not committed there
//   is one at most on a leader; who thinks that it was removed was;
//   one leader at most in each term; logs that agree on a position agree up to it; a committed
//   entry stays committed, is on the disks of a quorum, is in the log of every later leader, and a
//   leader counts only copies of its own term's entries; terms, commit and match indexes never
//   fall; what a leader takes a follower's disk to hold, it holds; no message says what the
//   sender's disk does not back; a read reflects all that was committed anywhere when it began; no
//   request is committed twice, or after it was refused or is past the fence of its term.
//
// The first breach is kept in failure(); the cluster must not be moved any more after that.
class TestCluster {
 public:
  struct Options {
    std::map<NodeId, uint32_t> priorities;  // of those that have one
    size_t nodes = 3;
    size_t founders = 0;  // the first so many nodes vote in the beginning; 0: all
    CoreOptions core;     // of each node, but for `self` and `seed`
    uint64_t seed = 1;
  };
  using Sink = std::function<void(const std::string&)>;

  // `sink`, which may be null, gets one line for each thing that happens.
  TestCluster(const Options& options, Sink sink);

  // ---- what a node does

  // Replaces the disk of `node`, before anything else happens. The first `applied` entries were
  // committed and applied.
  void Give(NodeId node, HardState hard_state, std::vector<Entry> log, LogIndex applied);
  void FireDeadline(NodeId node);  // if it is due
  void Propose(NodeId node, std::vector<std::string> payloads);
  void BeginRead(NodeId node, ReadMode mode = ReadMode::kQuorum);
  void Transfer(NodeId from, NodeId target);
  void ReportUnreachable(NodeId node, NodeId peer);
  void ReportDown(NodeId node, NodeId peer);
  void Change(NodeId node, std::vector<MembershipChange> changes);
  // Drops the entries up to `upto`, which the node must have applied, from its log.
  void Compact(NodeId node, LogIndex upto);

  // ---- clocks: one for each node

  Instant clock(NodeId node) const { return At(node).clock; }
  void AdvanceClock(NodeId node, absl::Duration by);
  Instant next_deadline(NodeId node) const { return At(node).core->NextDeadline(); }

  // ---- network

  std::vector<Packet>& network() { return network_; }
  // Takes packet `position` off the network and gives it to its receiver.
  void Deliver(size_t position);
  void Cut(NodeId from, NodeId to);  // one way
  void Heal() { cut_.clear(); }
  bool IsCut(NodeId from, NodeId to) const { return cut_.contains({from, to}); }

  // ---- disks

  size_t pending_batches(NodeId node) const { return At(node).pending.size(); }
  // Lets the oldest pending batch reach the disk, without telling the core.
  void WriteOne(NodeId node);
  // Tells the core of all that was written.
  void ReportWritten(NodeId node);
  bool HasUnreported(NodeId node) const { return At(node).written > At(node).reported; }
  // Answers the oldest request of a leader to read its log.
  bool HasLogRead(NodeId node) const { return !At(node).log_reads.empty(); }
  void ServeLogRead(NodeId node);
  // Says instead that the disk does not give back what it holds.
  void FailLogRead(NodeId node);

  // ---- snapshots: whole states in one message

  // Sends the snapshot that a leader was asked for longest ago.
  bool HasSnapshotRequest(NodeId node) const { return !At(node).snapshot_requests.empty(); }
  void SendSnapshot(NodeId node);
  // Gives up all that were sent, and not received yet.
  bool HasTransfers(NodeId node) const { return !At(node).transfers.empty(); }
  void GiveUpTransfers(NodeId node);

  // ---- crashes

  // The node stops. Of what was pending, `whole_batches` reach the disk all the same, and then the
  // beginning of the next one: its hard state, its truncation and `entries` of its entries. The
  // state machine comes back with `applied_kept` entries applied, if so many were, but with all
  // that the log was compacted by and with an installed snapshot, unless the state is lost.
  struct Remains {
    size_t whole_batches = 0;
    std::optional<size_t> entries_of_next;
    LogIndex applied_kept{~uint64_t{0}};
    bool state_lost = false;
  };
  void Crash(NodeId node, const Remains& remains);
  void Restart(NodeId node);

  // ---- letting it run

  // Delivers one message or lets one disk, but those in `held_disks`, do what it has to do. False
  // if nothing is left to do.
  bool DoOneThing(const std::set<NodeId>& held_disks);
  // Runs all clocks by `duration` and fires the deadlines of `firing` on the way; calls
  // `after_each` after each of them.
  void RunClocks(absl::Duration duration, const std::vector<NodeId>& firing,
                 const std::function<void()>& after_each);

  // ---- looking

  const std::optional<std::string>& failure() const { return failure_; }
  std::vector<NodeId> nodes() const;
  bool alive(NodeId node) const { return At(node).core.has_value(); }
  const RaftCore& core(NodeId node) const { return *At(node).core; }
  const TestDisk& disk(NodeId node) const { return At(node).disk; }
  // The log as the core has it: the disk's, and what is still to be written.
  const std::vector<Entry>& log(NodeId node) const { return At(node).issued.log; }
  LogIndex applied(NodeId node) const { return At(node).applied; }
  size_t committed() const { return committed_.size(); }
  size_t commands_committed() const { return requests_committed_.size(); }
  size_t reads_granted() const { return reads_granted_; }
  size_t leaders_elected() const { return leader_of_.size(); }
  size_t snapshots_installed() const { return snapshots_installed_; }
  size_t changes_committed() const { return changes_committed_; }
  bool WasEverMember(NodeId node) const;
  // By the last membership entry that is committed, on whatever node.
  Membership committed_membership() const { return MembershipAlong(founding_, History()); }

 private:
  struct Outstanding {
    RequestId request;
    std::string name;
    Term term;
  };
  struct SnapshotTransfer {
    NodeId peer;
    Term term;
    LogPosition position;
  };
  struct Node {
    NodeId id;
    CoreOptions options;
    std::optional<RaftCore> core;  // none while crashed
    Instant clock = Instant::FromNanos(1'000'000'000);
    TestDisk disk;
    TestDisk issued;  // as the disk will be once all pending batches are written
    std::deque<PersistBatch> pending;
    PersistSeq written;
    PersistSeq reported;
    std::deque<std::pair<LogReadRequest, std::vector<Entry>>> log_reads;
    std::deque<SnapshotRequest> snapshot_requests;
    std::map<TransferId, SnapshotTransfer> transfers;
    LogIndex applied;
    LogIndex applied_for_good;  // a crash does not take this away
    uint64_t life = 0;
    uint64_t requests = 0;  // in this life
    std::vector<Outstanding> proposals;
    // As of the last check.
    Role role = Role::kFollower;
    Term term;
    LogIndex commit;
    std::map<NodeId, LogIndex> match;
  };
  struct Committed {
    Entry entry;
    Term by;  // the term of the leader that committed it first
  };

  Node& At(NodeId node) { return nodes_.at(node.value() - 1); }
  const Node& At(NodeId node) const { return nodes_.at(node.value() - 1); }
  void Say(NodeId node, const std::string& words);
  void Fail(const std::string& words);

  void Start(Node* node);
  // Takes and executes all that the core wants done, then checks.
  void Drain(Node* node);
  void Execute(Node* node, Ready ready);
  void Apply(Node* node, const CommittedRange& range);
  void Install(Node* node, LogPosition position);
  void BeginLogRead(Node* node, const LogReadRequest& request);
  void Receive(Node* node, const ReceivedChunk& received);
  void EndTransfer(Node* node, const ReceivedAck& received);
  void WriteTo(TestDisk* disk, const PersistBatch& batch);
  std::vector<Entry> History() const { return History(LogIndex(committed_.size())); }
  std::vector<Entry> History(LogIndex upto) const;
  static Membership MembershipAlong(Membership first, const std::vector<Entry>& log);
  Membership FirstMembershipOf(const Node& node) const;
  MembershipHistory MembershipsOf(const Node& node) const;
  bool HasCopies(const Membership& membership, LogPosition position) const;
  void CheckMembership(const Node& node);
  void Send(Node* node, Message message);

  void CheckNode(Node* node);
  void CheckBecameLeader(const Node& node);
  void CheckCommit(Node* node);
  void AddCommitted(const Node& leader, const Entry& entry);
  void CheckMatches(Node* node);
  void CheckNewEntries(const Node& node, const PersistBatch& batch);
  void CheckPromise(const Node& node, const Message& message);
  void CheckGrant(const Node& node, const ReadGrant& grant);
  void CheckRefused(const Node& node, const RequestId& request, const char* why);

  using RequestKey = std::pair<NodeId, uint64_t>;
  struct EntryFacts {
    Term previous;
    EntryKind kind;
    RequestId request;
    Payload payload;
  };

  Sink sink_;
  Membership founding_;
  std::deque<Node> nodes_;  // a core cannot be moved
  std::vector<Packet> network_;
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::optional<std::string> failure_;

  // ---- what has been seen, over all nodes and all time
  std::map<Term, NodeId> leader_of_;
  std::map<std::pair<LogIndex, Term>, EntryFacts> entries_;
  std::vector<Committed> committed_;
  std::set<RequestKey> requests_committed_;
  std::set<RequestKey> requests_refused_;
  uint64_t reads_begun_ = 0;
  size_t reads_granted_ = 0;
  uint64_t transfers_begun_ = 0;
  size_t snapshots_installed_ = 0;
  size_t changes_committed_ = 0;
  std::map<ReadId, LogIndex> read_floor_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_TESTING_TEST_CLUSTER_H_
