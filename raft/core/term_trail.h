// TermTrail: the term of every entry of the log, without the entries.

#ifndef PONTOON_RAFT_CORE_TERM_TRAIL_H_
#define PONTOON_RAFT_CORE_TERM_TRAIL_H_

#include <optional>
#include <vector>

#include "raft/base/types.h"

namespace pontoon::raft {

// The terms of the log's positions from `base` (the position before the first entry) to the last
// entry, as runs of equal terms. Terms never fall along a log, so that there are as many runs as
// there were leaders.
class TermTrail {
 public:
  // `runs` cover base.index + 1 .. last without a gap.
  TermTrail(LogPosition base, std::vector<TermRun> runs, LogIndex last);

  LogPosition base() const { return base_; }
  LogIndex last_index() const { return last_; }
  LogPosition last() const;

  // The term at `index`; none outside of [base, last].
  std::optional<Term> TermAt(LogIndex index) const;
  // Whether the log (or its base) has this very position.
  bool Contains(LogPosition position) const;

  // `index` must follow last_index(), `term` must not be less than the last one.
  void Append(LogIndex index, Term term);
  // Drops `from`, which must be after the base, and all after it.
  void TruncateFrom(LogIndex from);

  // Drops `upto`, which must be in the log or its base, and all before it: `upto` is the new base.
  void DropUpTo(LogIndex upto);

  // The last position at or before `limit.index` whose term is not later than `limit.term`. A log
  // that disagrees with this one at `limit` agrees with it at no position between the result and
  // `limit`; so one refusal skips all entries of a term (thesis 3.3, end). `limit` itself if it
  // lies before the base: what was there was committed.
  LogPosition LastPossibleMatch(LogPosition limit) const;

 private:
  LogPosition base_;
  std::vector<TermRun> runs_;
  LogIndex last_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_TERM_TRAIL_H_
