// LogWriter: carries the core's batches to the disk.

#ifndef PONTOON_RAFT_NODE_LOG_WRITER_H_
#define PONTOON_RAFT_NODE_LOG_WRITER_H_

#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "raft/base/types.h"
#include "raft/env/clock.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"
#include "raft/node/node_instruments.h"
#include "raft/storage/log_store.h"

namespace pontoon::raft {

// Told of an error after which the node must not go on. May be called from any of its executors,
// once for each part that fails.
using FatalHandler = std::function<void(const absl::Status&)>;

// Writes batches on an executor of its own. All that wait while one write is under way go into the
// next one, with one sync: the slower the disk, the larger the groups.
//
// A write error is final. Nothing is written after it, since what the disk holds is unknown.
//
// Thread safety: Submit and Close may be called from any thread. The handlers are called on the
// executor, with no lock held.
class LogWriter {
 public:
  using PersistedHandler = std::function<void(PersistSeq)>;

  struct Parts {
    Executor* executor;
    const Clock* clock;
    LogStore* store;
    LogWriteInstruments* instruments;
  };

  // `executor` must outlive the use of Submit; the other parts and this object must outlive the
  // executor.
  LogWriter(const Parts& parts, PersistedHandler on_persisted, FatalHandler on_fatal);

  // Queues `batch`. Once it and all before it are durable, the handler is called with its number or
  // a later one.
  void Submit(PersistBatch batch);

  // After this no task is posted.
  void Close() { bell_.Close(); }

 private:
  void Work();
  absl::Status Write(const std::vector<PersistBatch>& group);

  const Parts parts_;
  const PersistedHandler on_persisted_;
  const FatalHandler on_fatal_;
  bool failed_ = false;  // on the executor only

  std::mutex mutex_;
  std::vector<PersistBatch> waiting_;  // guarded by mutex_
  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_LOG_WRITER_H_
