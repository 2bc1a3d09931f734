// EntryWindow: the newest entries of the log, in memory.

#ifndef PONTOON_RAFT_CORE_ENTRY_WINDOW_H_
#define PONTOON_RAFT_CORE_ENTRY_WINDOW_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "raft/base/types.h"

namespace pontoon::raft {

// A contiguous end of the log: [first(), end()). Everything that the disk, the applier or a
// follower that keeps up still needs is here, so that the core never waits for a read.
class EntryWindow {
 public:
  // Empty; the first entry to be appended has index `next`.
  explicit EntryWindow(LogIndex next) : first_(next) {}

  LogIndex first() const { return first_; }
  LogIndex end() const { return first_ + entries_.size(); }
  size_t bytes() const { return bytes_; }

  const Entry& At(LogIndex index) const;
  void Append(Entry entry);  // entry.index must be end()
  // Drops `from` and all after it. If `from` lies before the window, the window is empty and starts
  // there.
  void TruncateFrom(LogIndex from);

  // Entries from `first` to `last`, inclusive: at least one, and then as many as stay within
  // `bytes_max`. Payloads are shared, not copied. `first` must be in the window.
  std::vector<Entry> Slice(LogIndex first, LogIndex last, size_t bytes_max) const;

  // Whether the entries from `first` on, which is in the window, count at least `bytes`.
  bool HoldsFrom(LogIndex first, size_t bytes) const;

  // Drops entries before `keep_from`, oldest first, while the window is larger than `bytes_max`.
  void EvictBefore(LogIndex keep_from, size_t bytes_max);

 private:
  LogIndex first_;
  std::deque<Entry> entries_;
  size_t bytes_ = 0;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_ENTRY_WINDOW_H_
