// LogStore: the durable log and the durable votes of one node.

#ifndef PONTOON_RAFT_STORAGE_LOG_STORE_H_
#define PONTOON_RAFT_STORAGE_LOG_STORE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/membership_history.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// What a log held when it was opened.
struct RecoveredLog {
  HardState hard_state;
  LogPosition base;  // of the entry before the first one; {0, 0} for a log from the beginning
  LogIndex last;     // == base.index for an empty log
  std::vector<TermRun> terms;  // of the entries after `base`, in order
  // The configurations along the log, in order: the one in effect at `base`, unless none came
  // before it, and those of the log's entries.
  std::vector<MembershipHistory::Item> memberships;

  // The same with `founding`, in effect before the first entry ever, where nothing is known of the
  // log's beginning.
  MembershipHistory HistoryFrom(const Membership& founding) const;
};

// Thread safety: Write and ResetTo are called by one thread at a time, and so is DropPrefix, also
// meanwhile; the rest may be called from any thread at any time. An error of a change is final:
// what is on the disk is unknown, and the process must stop (a file system may report a failed
// fsync once, and keep nothing: "Can applications recover from fsync failures?", USENIX ATC 2020).
class LogStore {
 public:
  virtual ~LogStore() = default;

  // Makes all of `batches` durable, in order, with one sync where possible.
  virtual absl::Status Write(std::span<const PersistBatch> batches) = 0;

  // The entries from `first` to `last`, inclusive, as many as fit into `bytes_max`
  // (Entry::CountedBytes) but at least one. OUT_OF_RANGE if `first` is not in the log, or not any
  // more; DATA_LOSS if the disk returned damaged bytes.
  virtual absl::StatusOr<std::vector<Entry>> Read(LogIndex first, LogIndex last,
                                                  size_t bytes_max) const = 0;

  // Forgets entries from the front, durably: none after `upto`, and of those up to it as many as
  // can go at little cost, perhaps none. For a state that holds durably what they explain. A Read
  // that has begun finishes as if they were still there. May take long; a Write does not wait for
  // it.
  virtual absl::Status DropPrefix(LogIndex upto) = 0;

  // The position before the first entry that can be read. Rises with DropPrefix.
  virtual LogPosition base() const = 0;

  // How many bytes the entries take on the disk, without what is only reserved. Those that a
  // truncation dropped may count until they go, too.
  virtual uint64_t SizeBytes() const = 0;

  // Forgets every entry; the next one to be appended follows `base`. For a state that came from
  // elsewhere, as a whole: never to make up for entries that this log has lost.
  // `membership` is the configuration in effect there, encoded; empty if none is known.
  virtual absl::Status ResetTo(LogPosition base, std::string membership) = 0;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_LOG_STORE_H_
