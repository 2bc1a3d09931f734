// StateMachine: what a replicated log is for.

#ifndef PONTOON_RAFT_BASE_STATE_MACHINE_H_
#define PONTOON_RAFT_BASE_STATE_MACHINE_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/snapshot.h"
#include "raft/base/types.h"

namespace pontoon {

// What applying one entry gave. Only the state machine and the service in front of it know the real
// type.
class ApplyResult {
 public:
  virtual ~ApplyResult() = default;
};

// A committed entry on its way into the state machine.
struct ApplyItem {
  Entry entry;
  bool wants_result = false;            // a client of this node waits for the result
  std::unique_ptr<ApplyResult> result;  // set by Apply for a command whose result is wanted
};

// Applies committed entries. The same log must give the same state on every node: Apply may use
// nothing but the entries and the state: no clock, no randomness, no local setting, and not
// `wants_result`.
//
// Thread safety: Apply and Install are called by one thread at a time, the applying thread; Applied
// may be called by that thread only. All else may be called from any thread, also meanwhile.
class StateMachine {
 public:
  virtual ~StateMachine() = default;

  // The last entry whose effect is part of the state; after a restart, of the state that survived.
  virtual LogPosition Applied() const = 0;

  // Applies `items`, which follow Applied() without a gap, in order. Their effects and the new
  // Applied() become visible, and survive a crash, all together or not at all. A refusal of a
  // command by its own logic is a result, not an error; an error means that the storage failed, and
  // the node stops.
  virtual absl::Status Apply(std::span<ApplyItem> items) = 0;

  // The payload of the last membership entry that was applied, or that was in the snapshot which
  // the state began as; empty if there was none. Of the applying thread, as Applied.
  virtual absl::StatusOr<std::string> Membership() const = 0;

  // Returns when what Apply did before the call survives a power failure. Until then a crash may
  // lead back to an earlier Applied(). An error means that the storage failed, and the node stops.
  virtual absl::Status Sync() = 0;

  // The state after the latest Apply or Install that has returned. Takes the same short time for a
  // state of any size.
  virtual absl::StatusOr<std::unique_ptr<SnapshotSource>> OpenSnapshot() = 0;

  // Begins a state that a source's stream will fill, one of `position`. FAILED_PRECONDITION if that
  // is not after the present state. While another sink for the same index lives, a second one may
  // be refused with ALREADY_EXISTS. Otherwise the storage failed.
  virtual absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginSnapshot(LogPosition position) = 0;

  // Puts the state of `sink` in place of the present one: Applied() is its position from then on.
  // `sink` must be one of this state machine, finished with OK, and its position after Applied(): a
  // state never goes back. Takes a short time. An error means that the storage failed, and the node
  // stops.
  virtual absl::Status Install(std::unique_ptr<SnapshotSink> sink) = 0;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_STATE_MACHINE_H_
