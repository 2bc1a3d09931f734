// ChangeWaiter: tells those who wait that keys have changed.

#ifndef PONTOON_KV_LOCK_CHANGE_WAITER_H_
#define PONTOON_KV_LOCK_CHANGE_WAITER_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "kv/store/kv_store.h"
#include "kv/store/read_view.h"
#include "kv/store/revision.h"
#include "kv/store/store_observer.h"
#include "raft/env/doorbell.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// While anybody waits, the events of each step of the store are read once, for all of them, and
// those are woken whose keys are among them. While nobody does, a step costs the look at a number.
//
// Thread safety: LookSoon may be called from any thread; OnStep by the store. The rest happens on
// the executor.
class ChangeWaiter final : public StoreObserver {
 public:
  // Waits for one thing at a time. Its methods are called on the executor.
  class Waiter {
   public:
    virtual ~Waiter() = default;

    // Looks at the store, and says what to wait for: a key, or, if it ends in '/', the keys that
    // begin with it. Is called again after a change of that, and perhaps without one. Nothing: it
    // waits no longer.
    virtual std::optional<std::string> Look(const ReadView& view) = 0;

   private:
    friend class ChangeWaiter;
    std::optional<std::string> waits_for_;
  };

  // At work from then on. Borrows both; the executor reads the store.
  ChangeWaiter(KvStore* store, Executor* executor);
  // The executor must be gone, and Close have been called before that.
  ~ChangeWaiter() override = default;

  ChangeWaiter(const ChangeWaiter&) = delete;
  ChangeWaiter& operator=(const ChangeWaiter&) = delete;

  // Has `waiter`, which may be a new one, look at a view that shows everything that was applied
  // before this call.
  void LookSoon(std::shared_ptr<Waiter> waiter);

  void OnStep(const StoreStep& step) override;

  // After this nothing more is posted to the executor, and LookSoon is not called any more.
  void Close();

 private:
  using Waiters = std::vector<std::shared_ptr<Waiter>>;

  void Run();
  // Removes those from `waiting_` who wait for a change of `key`, and adds them to `woken`.
  void Wake(std::string_view key, Waiters* woken);
  void WakeWhere(const std::string& what, Waiters* woken);
  void WakeAll(Waiters* woken);
  // Wakes those who wait for what changed after `seen_` up to `view`.
  absl::Status WakeForEvents(const ReadView& view, Waiters* woken);
  void Forget(const std::shared_ptr<Waiter>& waiter);

  KvStore* const store_;
  Doorbell bell_;
  // Those who look soon or now, each time that they do, and those who wait.
  std::atomic<size_t> interested_ = 0;

  std::mutex mutex_;
  Waiters to_look_;         // guarded by mutex_
  bool installed_ = false;  // guarded by mutex_; a state, of which not all events are known

  // ---- on the executor
  absl::flat_hash_map<std::string, Waiters> waiting_;  // by what they wait for
  Revision seen_;                                      // up to here nobody in waiting_ missed any
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_LOCK_CHANGE_WAITER_H_
