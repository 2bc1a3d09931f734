// ReadLane: executes reads of the store, one after the other, on an executor of its own.

#ifndef PONTOON_KV_READ_READ_LANE_H_
#define PONTOON_KV_READ_READ_LANE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "kv/store/kv_store.h"
#include "kv/store/read_view.h"
#include "raft/base/types.h"
#include "raft/env/executor.h"
#include "raft/node/replica.h"

namespace pontoon::kv {

// Reads go to the disk, so neither gRPC's threads nor the replica's may execute them. Those that
// wait when the executor gets to run share that wake-up, one view and one look at the replica:
// reads whose barriers were granted together are answered together.
//
// There is one lane for reads of single keys and another one for ranges, so that a scan of a
// million keys does not hold up the small ones.
//
// Thread safety: Post may be called from any thread.
class ReadLane {
 public:
  // The term is that of this member when the batch began.
  using Read = absl::AnyInvocable<void(const ReadView& view, Term term) &&>;

  // Reads that wait are bounded by this; what the clients hold open is far more than they can use.
  static constexpr size_t kWaitingMax = 16384;

  // Borrows `store` and `replica`.
  ReadLane(const KvStore* store, const raft::Replica* replica, std::unique_ptr<Executor> executor);
  // Drops what waits. Whoever waits for an answer must be gone before.
  ~ReadLane();

  ReadLane(const ReadLane&) = delete;
  ReadLane& operator=(const ReadLane&) = delete;

  // Executes `read` on a view that shows everything that was applied before this call.
  // ErrTooManyRequests if too many wait; then it will not be executed.
  absl::Status Post(Read read);

 private:
  void RunWaiting();

  const KvStore* const store_;
  const raft::Replica* const replica_;

  absl::Mutex mutex_;
  std::vector<Read> waiting_ ABSL_GUARDED_BY(mutex_);
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;  // RunWaiting is posted, or runs

  const std::unique_ptr<Executor> executor_;  // last: its tasks use the rest
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_READ_READ_LANE_H_
