// RevisionWaiter: tells those who wait that the store has come to a revision.

#ifndef PONTOON_KV_READ_REVISION_WAITER_H_
#define PONTOON_KV_READ_REVISION_WAITER_H_

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "kv/store/kv_store.h"
#include "kv/store/revision.h"
#include "kv/store/store_observer.h"
#include "raft/base/instant.h"
#include "raft/env/clock.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// While nobody waits, a step of the store costs the look at a number.
//
// Thread safety: Await and Stop may be called from any thread; OnStep by the store. The rest
// happens on the executor.
class RevisionWaiter final : public StoreObserver {
 public:
  // OK: a view of the store that is taken now is of the revision or a later one.
  using Callback = absl::AnyInvocable<void(absl::Status reached) &&>;

  // More are refused.
  static constexpr size_t kWaitingMax = 16384;
  // Who waits in vain hears of it so much later at most.
  static constexpr absl::Duration kLookInterval = absl::Milliseconds(20);

  // At work from then on. Borrows `store` and `clock`.
  RevisionWaiter(KvStore* store, const Clock* clock, std::unique_ptr<Executor> executor);
  // Who waits hears nothing.
  ~RevisionWaiter() override;

  RevisionWaiter(const RevisionWaiter&) = delete;
  RevisionWaiter& operator=(const RevisionWaiter&) = delete;

  // Calls `done` once: before it returns if the store is there already, else on the executor.
  // UNAVAILABLE at `deadline`, with the revision that the store has come to; ErrTooManyRequests,
  // ErrStopped.
  void Await(Revision revision, Instant deadline, Callback done);

  void OnStep(const StoreStep& step) override;

  // From now on nobody waits: ErrStopped. Who does hears it soon.
  void Stop();

 private:
  struct Waiting {
    Instant deadline;
    Callback done;
  };
  using ByRevision = std::multimap<Revision, Waiting>;

  void Run();

  KvStore* const store_;
  const Clock* const clock_;
  std::atomic<bool> stopped_ = false;
  std::atomic<size_t> count_ = 0;  // of those who wait, raised before they look at the store

  absl::Mutex mutex_;
  ByRevision waiting_ ABSL_GUARDED_BY(mutex_);
  Instant next_look_ ABSL_GUARDED_BY(mutex_);  // for those whose time is over

  std::unique_ptr<Executor> executor_;
  Doorbell bell_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_READ_REVISION_WAITER_H_
