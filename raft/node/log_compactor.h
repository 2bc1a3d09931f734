// LogCompactor: keeps the log from growing for ever.

#ifndef PONTOON_RAFT_NODE_LOG_COMPACTOR_H_
#define PONTOON_RAFT_NODE_LOG_COMPACTOR_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "raft/base/state_machine.h"
#include "raft/base/types.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"
#include "raft/node/log_writer.h"

namespace pontoon::raft {

// How much of the log is kept.
struct LogRetention {
  // The log is looked at after so many more entries, or bytes on the disk.
  uint64_t step_entries = 100'000;
  uint64_t step_bytes = 64 << 20;
  // Applied entries that are always kept: a follower that was away for a moment needs no snapshot.
  uint64_t keep_entries = 10'000;
  // What followers still lack is kept beyond that, until the log is as large as this: a slow one is
  // not cut off, and a dead one does not fill the disk.
  uint64_t keep_bytes = 512 << 20;
};

// Works on an executor of its own: has the state machine bring to the disk what the entries
// explain, and only then lets go of them.
//
// Thread safety: Consider is called by one thread at a time; Close may be called from any. `drop`
// is called on the executor, with no lock held.
class LogCompactor {
 public:
  // Drops entries up to one from the log. An error is fatal.
  using DropHandler = std::function<absl::Status(LogIndex upto)>;

  // `executor` must outlive the use of Consider; the others and this object must outlive it.
  LogCompactor(const LogRetention& retention, Executor* executor, StateMachine* state_machine,
               DropHandler drop, FatalHandler on_fatal);

  // The log as it is, for the decision whether it is to be compacted.
  struct Picture {
    LogIndex base;
    LogIndex applied;
    uint64_t bytes = 0;
    // The followers still need the entries after this one (FollowerNeeds).
    std::optional<LogIndex> needed_after;
  };
  // Begins to compact the log if it is time.
  void Consider(const Picture& picture);

  // After this no task is posted.
  void Close() { bell_.Close(); }

 private:
  LogIndex Target(const Picture& picture) const;
  void Compact();

  const LogRetention retention_;
  StateMachine* const state_machine_;
  const DropHandler drop_;
  const FatalHandler on_fatal_;

  // Of the thread that considers: the log at the last look.
  LogIndex looked_applied_;
  uint64_t looked_bytes_ = 0;
  bool looked_ = false;

  std::atomic<uint64_t> target_ = 0;  // of the compaction under way; 0: none is
  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_LOG_COMPACTOR_H_
