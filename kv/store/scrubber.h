// Scrubber: removes the versions that were compacted away.
//
// A compaction to revision C is only a promise that nobody will read older revisions, or follow
// events from before C. It is applied at once, by its number. What it makes worthless is removed
// here, later, on each node at its own pace, and nothing can tell the difference:
//
//   - a version that has a newer one of the same key at or before C, unless it is itself of C;
//   - a tombstone before C.
//
// What is left: for reads at C, the newest version of every key that exists at C; for watches that
// begin at C, all events of C and after.
//
// To find these without an index of all keys, the scrubber walks the events up to C in order, and
// looks at each one and at the version of the same key before it. Where it stands is kept in the
// database together with the removals, so a restart goes on from there. An event of C itself is
// looked at again by the next compaction, since it can become worthless then.

#ifndef PONTOON_KV_STORE_SCRUBBER_H_
#define PONTOON_KV_STORE_SCRUBBER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "kv/store/database.h"
#include "kv/store/revision.h"
#include "raft/env/executor.h"

namespace pontoon::kv {

// OK, or: CANCELLED if the store closes first; the error if the storage failed.
using ScrubCallback = absl::AnyInvocable<void(absl::Status) &&>;

// Works in small steps on an executor, so that other tasks there get their turn. Takes no lock that
// a writer would wait for.
//
// Thread safety: all methods may be called from any thread.
class Scrubber {
 public:
  struct Parts {
    std::shared_ptr<Database> database;
    Executor* executor;  // borrowed; it may be destroyed first, which ends the work
    // Called on the executor after a walk, with the bytes that it has removed, about. It may not
    // call the scrubber.
    std::function<void(uint64_t bytes)> on_removed;
  };

  // Goes on from `scrubbed` (ScrubbedRecord in meta.h) towards `compacted`. Keeps the database open
  // as long as it lives itself or until it is moved, no longer.
  Scrubber(Parts parts, EventId scrubbed, Revision compacted);

  // Waits for the step that runs, if any.
  ~Scrubber();

  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  // There is a compaction to `compacted`, and it is in the database. Returns at once.
  void CompactTo(Revision compacted);

  // From now on works in `database`, which has come in place of the one before, and holds a later
  // state; the rest as in the constructor. Waits for the step that runs, if any. Who waits for a
  // revision goes on waiting.
  void MoveTo(std::shared_ptr<Database> database, EventId scrubbed, Revision compacted);

  // Calls `done` once everything that a compaction to `revision` makes worthless is removed: at
  // once, or on the executor. It may not destroy the scrubber.
  void WhenScrubbed(Revision revision, ScrubCallback done);

 private:
  class Core;

  const std::shared_ptr<Core> core_;  // shared with the task that is posted, if any
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_STORE_SCRUBBER_H_
