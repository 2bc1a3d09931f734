#include "raft/storage/write_plan.h"

#include "raft/base/check.h"

namespace pontoon::raft {

WritePlan MakeWritePlan(std::span<const PersistBatch> batches, LogIndex base, LogIndex last) {
  WritePlan plan;
  LogIndex kept = last;  // of the log on the disk, or of what it is reset to
  LogIndex next = last.Next();
  for (const PersistBatch& batch : batches) {
    if (batch.hard_state.has_value()) plan.hard_state = batch.hard_state;
    if (batch.reset_to.has_value()) {
      plan.reset_to = batch.reset_to;
      if (batch.reset_membership != nullptr) plan.reset_membership = batch.reset_membership;
      plan.truncate_from.reset();
      plan.entries.clear();
      base = kept = batch.reset_to->index;
      next = base.Next();
    }
    if (batch.truncate_from.has_value()) {
      const LogIndex from = *batch.truncate_from;
      CHECK(from > base && from <= next) << from << " in " << base << ".." << next;
      if (from <= kept) {
        plan.truncate_from = from;
        plan.entries.clear();
        kept = from.Prev();
      }
      plan.entries.resize(from.Prev() - kept);
      next = from;
    }
    for (const Entry& entry : batch.entries) {
      CHECK_EQ(entry.index, next) << "entries must be contiguous";
      plan.entries.push_back(&entry);
      next = next.Next();
    }
  }
  return plan;
}

}  // namespace pontoon::raft
