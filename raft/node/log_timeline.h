// LogTimeline: when the entries at the end of a node's log came, and how large they are.

#ifndef PONTOON_RAFT_NODE_LOG_TIMELINE_H_
#define PONTOON_RAFT_NODE_LOG_TIMELINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "raft/base/instant.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Says how far somebody is behind who has the log up to an index, in time and in bytes.
//
// Entries that came within kResolution of each other share one time, the earliest. When there are
// many such stretches, neighbours become one if together they span no more than 1/kPrecision of
// their age. So the memory grows with the logarithm of the time that is covered, and an age is
// never given too low, nor too high by more than kResolution and 1/kPrecision of it.
//
// Thread safety: none; one owner.
class LogTimeline {
 public:
  static constexpr absl::Duration kResolution = absl::Milliseconds(10);
  static constexpr int kPrecision = 64;

  // The log ends at `last` now; all in it is at least as old as `now`.
  LogTimeline(LogIndex last, Instant now) { Reset(last, now); }

  // The log has grown up to `last`, by entries of so many bytes.
  void Append(LogIndex last, uint64_t bytes, Instant now);
  // What the log had after `last` is gone.
  void CutAfter(LogIndex last);
  // Of the entries up to `index` nothing needs to be known any more.
  void Forget(LogIndex index);
  // The log was replaced by an empty one that goes on after `last`.
  void Reset(LogIndex last, Instant now);

  // The end of the log.
  LogIndex last() const { return stretches_.empty() ? begin_ : stretches_.back().last; }

  struct Backlog {
    Instant since;                 // the oldest of them is there; later, if that is not known
    uint64_t bytes = 0;            // of the entries that are known
    uint64_t entries_unknown = 0;  // those that are older than this timeline
  };
  // What follows `match`. Nothing if that is the end.
  std::optional<Backlog> After(LogIndex match) const;

  size_t stretches() const { return stretches_.size(); }

 private:
  // The entries after the stretch before, or after begin_, up to `last`.
  struct Stretch {
    LogIndex last;
    uint64_t bytes_end = 0;  // of all stretches ever, with this one
    Instant since;           // the first of them is there
  };

  uint64_t BytesUpTo(LogIndex index) const;
  void Thin(Instant now);

  LogIndex begin_;  // what is known begins after this
  Instant begun_;   // all up to begin_ is at least as old
  uint64_t begin_bytes_ = 0;
  std::deque<Stretch> stretches_;
  size_t thin_at_ = 0;  // so many stretches
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_LOG_TIMELINE_H_
