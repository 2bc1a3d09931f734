// Reclaimer: gives the disk back what nobody can see any more.
//
// LevelDB drops a record that was overwritten or removed when it merges the tables that hold the
// record and its removal, which it does where writes go on. The history of a store is written once,
// in order, and removed once: nothing new comes to where the old versions lie, and they would stay
// for long. So such parts are merged on purpose here.

#ifndef PONTOON_KV_STORE_RECLAIMER_H_
#define PONTOON_KV_STORE_RECLAIMER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "kv/store/database.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// OK, or: CANCELLED if the store closes first; the error if the storage failed.
using ReclaimCallback = absl::AnyInvocable<void(absl::Status) &&>;

// Works in steps of some ten megabytes of tables on an executor, so that other tasks there get
// their turn. LevelDB lets writes, and the merges that they need, go on between the tables of a
// step.
//
// Thread safety: all methods may be called from any thread.
class Reclaimer {
 public:
  // Gives the database to work in, of which nobody sees an older state than the present one for
  // longer than a request takes. Called on the executor.
  using Prepare = std::function<std::shared_ptr<Database>()>;

  // `executor` is borrowed; it may be destroyed first, which ends the work.
  Reclaimer(Executor* executor, Prepare prepare);

  // Waits for the step that runs, if any.
  ~Reclaimer();

  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // Has the tables of the records from `begin` to `end` merged, after all that was asked for
  // before, and then calls `done`, on the executor. It may not destroy the reclaimer.
  void Reclaim(std::string begin, std::string end, ReclaimCallback done);

 private:
  class Core;

  const std::shared_ptr<Core> core_;  // shared with the task that is posted, if any
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_RECLAIMER_H_
