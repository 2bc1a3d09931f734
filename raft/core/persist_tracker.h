// PersistTracker: what of the log the disk is known to keep.

#ifndef PONTOON_RAFT_CORE_PERSIST_TRACKER_H_
#define PONTOON_RAFT_CORE_PERSIST_TRACKER_H_

#include <deque>
#include <optional>

#include "raft/base/instant.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Follows the batches that were handed to the disk. The subtle case is an old batch that becomes
// durable after a newer one, still outstanding, has overwritten its entries: those must not count
// as durable under the new entries' indexes (the "ABA" race of etcd-io/raft's async storage
// writes). So what an outstanding batch truncates is taken off at once, when the batch is issued.
class PersistTracker {
 public:
  // The log up to `durable_last` is on the disk.
  explicit PersistTracker(LogIndex durable_last) : durable_last_(durable_last) {}

  // A batch was handed to the disk at `now`. `batch.seq` must be the next one.
  void Issue(const PersistBatch& batch, Instant now);
  // `seq` and all batches before it are durable. Repeated and older reports do nothing.
  void OnPersisted(PersistSeq seq);

  PersistSeq last_issued() const { return last_issued_; }
  PersistSeq durable_seq() const { return durable_seq_; }
  // The last batch that holds a hard state; entries do not delay promises that rest on the term
  // alone.
  PersistSeq last_hard_state() const { return last_hard_state_; }

  // When the oldest batch that is not durable yet was handed out; none if all are.
  std::optional<Instant> oldest_issued() const;

  // The last index up to which the log as it is now is durable.
  LogIndex stable_index() const;

 private:
  struct Outstanding {
    PersistSeq seq;
    Instant issued;
    std::optional<LogIndex> truncate_from;
    std::optional<LogIndex> last;  // of its entries
  };

  std::deque<Outstanding> outstanding_;
  LogIndex durable_last_;
  PersistSeq last_issued_;
  PersistSeq durable_seq_;
  PersistSeq last_hard_state_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_PERSIST_TRACKER_H_
