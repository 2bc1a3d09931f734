// RaftNode: a member of the cluster, at work.

#ifndef PONTOON_RAFT_NODE_RAFT_NODE_H_
#define PONTOON_RAFT_NODE_RAFT_NODE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/container/btree_set.h"
#include "raft/base/instant.h"
#include "raft/base/membership.h"
#include "raft/base/membership_change.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/message.h"
#include "raft/core/options.h"
#include "raft/core/raft_core.h"
#include "raft/core/ready.h"
#include "raft/env/clock.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"
#include "raft/node/applier.h"
#include "raft/node/change_tracker.h"
#include "raft/node/completion.h"
#include "raft/node/follower_needs.h"
#include "raft/node/log_compactor.h"
#include "raft/node/log_reader.h"
#include "raft/node/log_writer.h"
#include "raft/node/node_instruments.h"
#include "raft/node/node_recorder.h"
#include "raft/node/peer_news.h"
#include "raft/node/proposal_tracker.h"
#include "raft/node/read_coordinator.h"
#include "raft/node/replica.h"
#include "raft/node/snapshot_receiver.h"
#include "raft/node/snapshot_sender.h"
#include "raft/storage/log_store.h"
#include "raft/transport/transport.h"

namespace pontoon::raft {

struct RaftNodeOptions {
  CoreOptions core;
  // Where the numbers of this node's requests begin: drawn at random for each life of the process,
  // so that none is ever used twice.
  uint64_t first_sequence = 0;
  // Bounds on what may wait in this node; beyond them callers are told kOverloaded, and
  // RESOURCE_EXHAUSTED.
  size_t waiting_proposals_max = 16384;
  size_t waiting_proposal_bytes_max = 64 << 20;
  size_t waiting_reads_max = 65536;
  LogRetention retention;
  SnapshotSendOptions snapshots;
  // Called when the configurations in the log have changed, or which of them are committed, and
  // once from the constructor. On the loop; must not block. Null: nobody wants to know.
  std::function<void(const PeerNews& news)> on_peers;
  // This node was removed from the cluster for good: the process should stop. Called once, on the
  // loop; must not block. Null: the node stays silent and goes on.
  std::function<void()> on_removed;
  // The disk or the state machine failed: the process must stop, and not speak for this node
  // again. May be called from several threads. Null: logs the error and aborts.
  FatalHandler on_fatal;
};

// What a node works with. All of it must outlive the node.
struct RaftNodeEnvironment {
  Clock* clock = nullptr;
  Transport* transport = nullptr;
  LogStore* log = nullptr;
  StateMachine* state_machine = nullptr;
};

// Where its work runs. The node's own: nobody else may post there.
struct RaftNodeExecutors {
  std::unique_ptr<Executor> loop;        // the core
  std::unique_ptr<Executor> log_writer;  // waits for the disk most of the time
  std::unique_ptr<Executor> log_reader;
  std::unique_ptr<Executor> applier;    // the state machine, and the callbacks of callers
  std::unique_ptr<Executor> snapshots;  // sends, receives and syncs whole states

  // Four threads and, for the loop, whoever brings news.
  static RaftNodeExecutors Threads();
};

// Drives a RaftCore with real time, disk and network, and keeps the promises of Replica with what
// comes out of it. Everything that the core is told is put into a mailbox; one task on the loop
// takes all that is in it, tells the core, and hands on what the core wants done: messages leave at
// once, while the log writer still writes the batch that goes with them.
//
// The node is at work from its construction on. Its owner gives it to the transport as receiver:
//
//   RaftNode node(options, restored, environment, RaftNodeExecutors::Threads());
//   transport.Start(&node, addresses);
//   ...
//   node.Stop();        // callers get their answers
//   transport.Stop();   // nothing comes in any more
//                       // then the node may be destroyed
//
// Thread safety: all methods may be called from any thread; the destructor when no other call is
// under way and none will come.
class RaftNode final : public Replica, public TransportReceiver {
 public:
  // The largest command that Propose takes, in bytes; more than a service may let through.
  static constexpr size_t kCommandBytesMax = 32 << 20;

  RaftNode(const RaftNodeOptions& options, const RestoredState& restored,
           const RaftNodeEnvironment& environment, RaftNodeExecutors executors);
  // Stops, and waits for the tasks that run. Callbacks that are still due are called from here.
  ~RaftNode() override;

  RaftNode(const RaftNode&) = delete;
  RaftNode& operator=(const RaftNode&) = delete;

  // Replica. Callbacks of proposals and changes are called on the applier's executor, those of
  // reads there or on the loop.
  void Propose(Payload command, Instant deadline, ProposeCallback done) override;
  void ReadBarrier(ReadMode mode, Instant deadline, ReadCallback done) override;
  void ChangeMembership(std::vector<MembershipChange> changes, Instant deadline,
                        ChangeCallback done) override;
  void TransferLeadership(NodeId target, Instant deadline, TransferCallback done) override;
  ReplicaStatus Status() const override;
  Leadership CurrentLeadership() const override;
  bool IsLearner() const override { return is_learner_; }

  const NodeInstruments& instruments() const { return instruments_; }
  // The last ones, at most NodeRecorder::kRoleChangesKept, in their order.
  std::vector<PastRoleChange> RecentRoleChanges() const;

  // TransportReceiver.
  void OnMessages(std::vector<Message> messages) override;
  void OnPeerUnreachable(NodeId peer) override;
  void OnPeerDown(NodeId peer) override;

  // From now on the node takes no part in anything. All callers are answered (NotApplied or
  // OutcomeUnknown with kStopped, UNAVAILABLE), and so is everybody who comes later. Does not wait.
  void Stop();

 private:
  struct Transfer {
    NodeId target;
    Instant deadline;
    TransferCallback done;
  };
  // What waits for the loop. The peers' windows and the bounds on proposals bound it.
  struct Inbox {
    std::vector<Message> messages;
    PersistSeq persisted;  // 0: nothing new
    std::vector<EntriesRead> entries_read;
    std::vector<NodeId> unreachable;
    std::vector<NodeId> down;
    std::vector<Transfer> transfers;
    std::vector<ChangeTracker::Wish> changes;
    std::vector<SnapshotSent> snapshots_sent;
    std::vector<SnapshotReceived> snapshots_received;
    std::optional<LogPosition> log_base;  // if it has moved
  };
  struct PeerPicture {
    RaftCore::PeerState state;
    NodeRecorder::Lag lag;
  };
  struct Picture {
    std::optional<LogIndex> membership_index;  // status.membership_index, once that is set
    ReplicaStatus status;                      // but for `applied` and the followers
    std::vector<PeerPicture> peers;
    Instant peers_taken;
  };

  // Adds to the inbox and wakes the loop.
  template <typename Change>
  void Tell(Change change);
  // Has the loop take a turn when it is due for a caller.
  void SeeToTurn(TurnDue due);
  Inbox TakeInbox();
  // Has the callbacks called on the applier's executor.
  void Answer(Completions completions);
  void RunAnswers();

  // ---- on the loop
  void RunLoop();
  void FeedCore(Instant now, Inbox inbox);
  void ProposeQueued(Instant now);
  void ForwardUnanswered(Instant now);
  void BeginReads(Instant now);
  void BeginRead(ReadMode mode);
  void BeginTransfer(Instant now, Transfer transfer);
  void ContinueTransfers(Instant now);
  bool EverybodyElseIsAway() const;
  void EndTransfers(const absl::Status& status);
  void OnOtherLeader(NodeId leader);
  void GiveUpCallers(Inbox inbox);
  void AnswerTransfer(Transfer transfer, absl::Status status);
  void OfferChanges(Instant now);
  void ForwardChangesAgain(Instant now);
  void SettleChanges(Instant now, const Ready& ready);
  void Execute(Instant now, Ready ready);
  void MoveSnapshots(Ready* ready);
  void FinishReceived();
  void ConsiderCompaction(Instant now);
  absl::Status DropFromLog(LogIndex upto);
  void OnRoleChange(const RoleChange& change);
  void OnPeers(PeerUrls peers);
  void Expire(Instant now);
  void TakePicture(Instant now);
  std::vector<PeerPicture> TakePeers() const;
  uint64_t MeanEntryBytes() const;
  Instant NextDeadline(Instant now) const;
  void WakeAt(Instant when);

  const RaftNodeEnvironment environment_;
  // How long proposals, and reads at a follower, wait at most for news of those that are under way,
  // to go together. So a busy node takes many at a time, and an idle one takes each at once.
  const absl::Duration gather_delay_;
  const std::function<void(const PeerNews&)> on_peers_;  // may be null
  const std::function<void()> on_removed_;               // may be null
  NodeInstruments instruments_;
  std::atomic<bool> stopped_ = false;

  // On the loop only.
  RaftCore core_;
  NodeRecorder recorder_;
  Instant propose_again_;  // after a refusal nothing is proposed before this
  Instant read_again_;     // the same for reads
  Instant forward_again_;  // the next look for lost proposals
  std::vector<Transfer> transfers_;
  ChangeTracker changes_;
  std::vector<NodeId> members_;  // by the configuration in effect
  // The members of which nothing was heard since their connection broke, or ever.
  absl::btree_set<NodeId> away_;
  absl::btree_set<Instant> wake_ups_;  // that are posted
  Instant consider_again_;             // the next look at the size of the log
  FollowerNeeds follower_needs_;
  std::vector<SnapshotReceived> received_;  // for the core to decide on, in this turn

  std::mutex inbox_mutex_;
  Inbox inbox_;  // guarded by inbox_mutex_

  std::mutex answers_mutex_;
  Completions answers_;  // guarded by answers_mutex_

  mutable std::mutex picture_mutex_;
  Picture picture_;                       // guarded by picture_mutex_
  std::atomic<bool> is_learner_ = false;  // by the picture; apart, since every call asks for it

  ProposalTracker proposals_;
  ReadCoordinator reads_;

  RaftNodeExecutors executors_;
  Executor* const loop_;  // still valid for the task that runs while executors_ is being cleared
  Doorbell loop_bell_;
  Doorbell answers_bell_;
  LogWriter log_writer_;
  LogReader log_reader_;
  Applier applier_;
  SnapshotSender snapshot_sender_;
  SnapshotReceiver snapshot_receiver_;
  LogCompactor compactor_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_RAFT_NODE_H_
