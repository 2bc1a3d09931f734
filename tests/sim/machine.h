// Machine: a computer of the simulation, on which a node lives and dies.

#ifndef PONTOON_TESTS_SIM_MACHINE_H_
#define PONTOON_TESTS_SIM_MACHINE_H_

#include <cstdint>
#include <memory>

#include "kv/lease/lessor.h"
#include "kv/read/read_gate.h"
#include "kv/watch/watch_hub.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/env/testing/faulty_file_system.h"
#include "raft/node/raft_node.h"
#include "raft/storage/log_store.h"
#include "raft/transport/transport.h"
#include "tests/sim/coverage.h"
#include "tests/sim/dice.h"
#include "tests/sim/event_loop.h"
#include "tests/sim/lessor_replica.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/process.h"
#include "tests/sim/referee.h"
#include "tests/sim/store.h"
#include "tests/sim/trace.h"

namespace pontoon::sim {

class Bookkeeper;

// What all machines share. Outlives them.
struct World {
  const SimOptions* options;
  EventLoop* loop;
  Network* network;
  Referee* referee;
  Bookkeeper* bookkeeper;
  Coverage* coverage;
  const Trace* trace;
};

// Has a disk and a clock, which stay, and a process, which comes and goes: the production RaftNode
// and SegmentedLog, and a SimStore, put together as the server does it; with the real store also
// what watches it, and the leases' clock.
//
// Thread safety: none.
class Machine {
 public:
  Machine(const World& world, NodeId id);
  ~Machine();

  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  NodeId id() const { return id_; }
  // It was removed from the cluster, and has stopped for good.
  bool removed() const { return removed_; }
  // A process runs, or is paused.
  bool up() const { return life_ != nullptr; }
  bool paused() const { return up() && process().paused(); }
  // Counts the lives of its process.
  uint64_t lives() const { return lives_; }

  // Starts a process. It may die at once of a fault of the disk that was set; and none ever starts
  // again once one has found the log damaged.
  void Start();
  // A clean stop, with leadership handed over before if there is somebody to take it.
  void StopCleanly();
  // The process dies; what it wrote can still be read.
  void CrashProcess();
  // The machine dies: what was not synced is kept, lost or torn.
  void LosePower();
  // The process dies, and somebody removes the folder of the state.
  void LoseState();
  // The process dies, and a bit flips in a part of the log that nobody writes to any more, if there
  // is one.
  void RotLog();
  void Pause();
  void Resume();

  // The node was confirmed to lead, and is about to answer who asked about leases: the worst time
  // to stand still, which it does now and then, for longer or shorter than its successor needs.
  void StandStillAtTimes();

  // The power will go after so many steps of the disk, and so perhaps in the middle of a write.
  void CutPowerAfter(uint64_t steps) { disk_.CutPowerAfter(steps); }
  void FailSyncAfter(uint64_t successes) { disk_.FailSyncAfter(successes); }
  void FailWriteAfter(uint64_t successes) { disk_.FailWriteAfter(successes); }
  void FillDisk(uint64_t left_bytes) { disk_.LimitSpace(left_bytes); }
  void MakeSpace() { disk_.MakeSpace(); }
  // The disk, or the state machine, takes this much longer for everything.
  void SlowDisk(absl::Duration by) { disk_delay_ = by; }
  void SlowApply(absl::Duration by) { apply_delay_ = by; }
  // Ends whatever fault of the disk is set or goes on, and takes back a clean stop.
  void Heal();

  // A bit of the log has flipped, which may have been found since.
  bool rotten() const { return rotten_; }
  // When what the log's writer has begun, or begins next, is done.
  SimTime disk_busy_until() const { return disk_busy_until_; }

  Instant Now() const { return clock_.Now(); }
  // When this machine's clock first showed `reading` or more.
  SimTime TimeOf(Instant reading) const { return clock_.TimeOf(reading); }
  const SimStore& store() const { return *store_; }
  // Needs up(), and a real store.
  kv::KvStore* kv_store() const { return store_->kv_store(); }
  // Needs up().
  raft::RaftNode* node() { return life_->node.get(); }
  // Where changes can be watched, who is asked about leases, and when reads may begin. All need
  // up(), and a real store.
  kv::WatchHub* watch_hub() { return life_->watch_hub.get(); }
  kv::Lessor* lessor() { return life_->lessor.get(); }
  kv::ReadGate* read_gate() { return life_->read_gate.get(); }

 private:
  // In the order of construction.
  struct Life {
    Life(EventLoop* loop, const VirtualClock* clock) : process(loop, clock) {}
    Process process;
    std::unique_ptr<raft::LogStore> log;
    std::unique_ptr<raft::Transport> transport;
    std::unique_ptr<StateMachine> state_machine;
    std::unique_ptr<LessorReplica> lessor_replica;
    std::unique_ptr<raft::RaftNode> node;
    // Null: the store is a model.
    std::unique_ptr<kv::WatchHub> watch_hub;
    std::unique_ptr<Executor> lessor_executor;
    std::unique_ptr<kv::Lessor> lessor;
    std::unique_ptr<kv::ReadGate> read_gate;
  };

  const Process& process() const { return life_->process; }
  // False: the disk failed.
  bool OpenStorage(Life* life, raft::RestoredState* restored);
  Membership FirstMembership() const;
  bool FitToState(Life* life, raft::RecoveredLog* recovered, LogIndex* applied);
  raft::RaftNodeOptions NodeOptions();
  raft::RaftNodeExecutors Executors(Process* process);
  std::unique_ptr<kv::WatchHub> NewWatchHub(Process* process);
  void BeginLessor();
  void BeginReads();
  void OnFatal(const absl::Status& error);
  void EndLife();
  void SyncStoreAtTimes(uint64_t life);
  void FinishStop(uint64_t life);
  void OnRemoved();
  void NoteTermNotDurable();

  const World world_;
  const NodeId id_;
  Dice dice_;
  VirtualClock clock_;
  FaultyFileSystem disk_;
  const std::unique_ptr<SimStore> store_;
  absl::Duration disk_delay_ = absl::ZeroDuration();
  absl::Duration apply_delay_ = absl::ZeroDuration();
  SimTime disk_busy_until_;
  bool rotten_ = false;
  bool damage_found_ = false;
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  bool removed_ = false;
  uint64_t stopping_life_ = 0;  // the one that is to stop cleanly
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_MACHINE_H_
