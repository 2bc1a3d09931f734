// WritePlan: what several batches change, taken together.

#ifndef PONTOON_RAFT_STORAGE_WRITE_PLAN_H_
#define PONTOON_RAFT_STORAGE_WRITE_PLAN_H_

#include <optional>
#include <span>
#include <vector>

#include "raft/base/types.h"

namespace pontoon::raft {

// The net effect of batches that are written in one go: the last hard state, one reset or one
// truncation, and the entries that are left after it. What one batch appends and a later one drops
// is never written. Nothing of the batches is acknowledged before all of them are durable, and the
// last hard state, which is saved first, allows every state in between; so no crash can tell the
// difference.
struct WritePlan {
  std::optional<HardState> hard_state;
  // At most one of the two.
  std::optional<LogPosition> reset_to;
  std::optional<LogIndex> truncate_from;  // an entry that is on the disk
  Payload reset_membership;               // with reset_to: the last that is known; may be null
  std::vector<const Entry*> entries;      // of the batches; contiguous
};

// For a log whose entries are those after `base` up to `last`. CHECKs that the batches fit on it
// and on each other.
WritePlan MakeWritePlan(std::span<const PersistBatch> batches, LogIndex base, LogIndex last);

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_WRITE_PLAN_H_
