// Applier: feeds committed entries to the state machine, and answers those who wait for it.

#ifndef PONTOON_RAFT_NODE_APPLIER_H_
#define PONTOON_RAFT_NODE_APPLIER_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "raft/base/snapshot.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/env/clock.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"
#include "raft/node/log_writer.h"
#include "raft/node/node_instruments.h"
#include "raft/node/proposal_tracker.h"
#include "raft/node/read_coordinator.h"
#include "raft/storage/log_store.h"

namespace pontoon::raft {

// Works on an executor of its own. What waits there is handed to the state machine in batches of
// bounded size; after each one the proposals in it and the reads that it makes possible are
// completed, on the same executor.
//
// The queue is bounded in bytes: beyond that the entries themselves are let go, and read from the
// log when their turn comes. They can be: the core hands out only what this node's disk keeps.
//
// An error of the state machine, or of the log under it, is final: nothing is applied after it.
//
// Thread safety: all public methods may be called from any thread, Submit from one at a time.
class Applier {
 public:
  // All of these must outlive the executor.
  struct Parts {
    Executor* executor;
    const Clock* clock;
    StateMachine* state_machine;
    const LogStore* log;
    ProposalTracker* proposals;
    ReadCoordinator* reads;
    NodeInstruments* instruments;
  };

  static constexpr size_t kBatchEntriesMax = 1024;
  static constexpr size_t kBatchBytesMax = 4 << 20;
  static constexpr size_t kQueuedBytesMax = 32 << 20;

  // `applied` is in the state machine already. `on_queued` is called when proposals wait in
  // ProposalTracker for nothing but to be taken.
  Applier(const Parts& parts, LogIndex applied, std::function<void()> on_queued,
          FatalHandler on_fatal);

  // `range` follows the one before without a gap.
  void Submit(CommittedRange range);
  // Puts `sink`'s state, of `position`, in place of the present one. Ranges that were submitted
  // before are part of it, and not applied any more; those submitted after follow it.
  // Returns what was to be installed before, and is superseded: null mostly.
  std::unique_ptr<SnapshotSink> Install(LogPosition position, std::unique_ptr<SnapshotSink> sink);
  // Completes, on the calling thread, the reads that what is applied already makes possible.
  void AnswerReads();

  // The last index whose effect can be seen.
  LogIndex applied() const { return LogIndex(applied_.load(std::memory_order_acquire)); }

  // After this no task is posted.
  void Close() { bell_.Close(); }

 private:
  struct Installation {
    LogPosition position;
    std::unique_ptr<SnapshotSink> sink;
  };

  // These run on the executor. False: an error, reported, or a snapshot waits.
  void ApplyWaiting();
  bool InstallNow(Installation installation);
  bool ApplyRange(CommittedRange range);
  bool Stage(Entry entry);
  bool ApplyStaged();
  bool Fail(const absl::Status& error);
  bool IsSuperseded();
  void TellApplied(ProposalTracker::AppliedOutcome outcome);

  static size_t CountedBytes(const CommittedRange& range);

  const Parts parts_;
  const std::function<void()> on_queued_;
  const FatalHandler on_fatal_;

  // On the executor only.
  std::vector<ApplyItem> staged_;
  size_t staged_bytes_ = 0;
  LogIndex last_staged_;
  bool failed_ = false;

  std::atomic<uint64_t> applied_;

  std::mutex mutex_;
  std::optional<Installation> installation_;  // guarded by mutex_; comes before what waits
  std::deque<CommittedRange> waiting_;        // guarded by mutex_
  size_t waiting_bytes_ = 0;                  // guarded by mutex_; includes the range being applied
  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_APPLIER_H_
