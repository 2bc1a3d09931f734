#include "raft/core/persist_tracker.h"

#include <algorithm>

#include "raft/base/check.h"

namespace pontoon::raft {

void PersistTracker::Issue(const PersistBatch& batch, Instant now) {
  CHECK_EQ(batch.seq, last_issued_.Next());
  last_issued_ = batch.seq;
  if (batch.hard_state) last_hard_state_ = batch.seq;
  Outstanding outstanding{
      .seq = batch.seq, .issued = now, .truncate_from = batch.truncate_from, .last = {}};
  if (batch.reset_to) {
    // As if all after it were truncated; what comes before counts as kept, once the batch is.
    outstanding.truncate_from = batch.reset_to->index.Next();
    outstanding.last = batch.reset_to->index;
  }
  if (!batch.entries.empty()) outstanding.last = batch.entries.back().index;
  outstanding_.push_back(outstanding);
}

void PersistTracker::OnPersisted(PersistSeq seq) {
  CHECK_LE(seq, last_issued_) << "the disk reports a batch that was never issued";
  while (!outstanding_.empty() && outstanding_.front().seq <= seq) {
    const Outstanding& done = outstanding_.front();
    if (done.truncate_from) durable_last_ = std::min(durable_last_, done.truncate_from->Prev());
    if (done.last) durable_last_ = *done.last;
    durable_seq_ = done.seq;
    outstanding_.pop_front();
  }
}

std::optional<Instant> PersistTracker::oldest_issued() const {
  if (outstanding_.empty()) return std::nullopt;
  return outstanding_.front().issued;
}

LogIndex PersistTracker::stable_index() const {
  LogIndex stable = durable_last_;
  for (const Outstanding& batch : outstanding_) {
    if (batch.truncate_from) stable = std::min(stable, batch.truncate_from->Prev());
  }
  return stable;
}

}  // namespace pontoon::raft
