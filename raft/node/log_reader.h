// LogReader: fetches old entries for followers that are far behind.

#ifndef PONTOON_RAFT_NODE_LOG_READER_H_
#define PONTOON_RAFT_NODE_LOG_READER_H_

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "raft/base/types.h"
#include "raft/core/ready.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"
#include "raft/storage/log_store.h"

namespace pontoon::raft {

// What was read for a LogReadRequest. No entries: they are gone.
struct EntriesRead {
  NodeId peer;
  Term term;
  std::vector<Entry> entries;
  bool unreadable = false;  // they are there, and the disk does not give them back
};

// Reads on an executor of its own, so that neither the log writer nor the applier waits for a
// follower's sake. The core asks for one read at a time for each peer; that bounds the queue.
//
// Thread safety: Submit and Close may be called from any thread. The handler is called on the
// executor, with no lock held.
class LogReader {
 public:
  using ReadHandler = std::function<void(EntriesRead)>;

  // `executor` must outlive the use of Submit; `store` and this object must outlive the executor.
  LogReader(Executor* executor, const LogStore* store, ReadHandler on_read);

  void Submit(const LogReadRequest& request);

  // After this no task is posted.
  void Close() { bell_.Close(); }

 private:
  void ReadWaiting();
  void ReportDamage(const LogReadRequest& request, const absl::Status& damage);

  const LogStore* const store_;
  const ReadHandler on_read_;

  std::string reported_;  // the damage that was reported last; on the executor only

  std::mutex mutex_;
  std::vector<LogReadRequest> waiting_;  // guarded by mutex_
  Doorbell bell_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_LOG_READER_H_
