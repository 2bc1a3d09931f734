// TermRuns: the terms of a log's entries, as stretches of one term each.

#ifndef PONTOON_RAFT_STORAGE_TERM_RUNS_H_
#define PONTOON_RAFT_STORAGE_TERM_RUNS_H_

#include <algorithm>
#include <iterator>
#include <vector>

#include "raft/base/check.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// Knows the term of every entry from `base` to the last one, in memory that grows with the number
// of terms and not with the log. A value; not thread safe.
class TermRuns {
 public:
  explicit TermRuns(LogPosition base) : base_(base), last_(base.index) {}

  const LogPosition& base() const { return base_; }
  LogIndex last() const { return last_; }
  const std::vector<TermRun>& runs() const { return runs_; }

  // The term of the entry at `index`, which is base() or an entry of the log.
  Term TermAt(LogIndex index) const {
    CHECK(index >= base_.index && index <= last_) << index;
    const auto after = RunAfter(index);
    return after == runs_.begin() ? base_.term : std::prev(after)->term;
  }

  // Whether an entry of `term` may follow: terms never fall along a log.
  bool MayAppend(Term term) const { return term >= TermAt(last_); }

  // Appends one entry.
  void Append(Term term) {
    CHECK(MayAppend(term)) << term << " after " << TermAt(last_);
    last_ = last_.Next();
    if (runs_.empty() || runs_.back().term != term) runs_.push_back({last_, term});
  }

  // Drops the entries up to `upto`, which becomes the base.
  void DropPrefix(LogIndex upto) {
    base_ = {upto, TermAt(upto)};
    if (upto == last_) {
      runs_.clear();
      return;
    }
    runs_.erase(runs_.begin(), std::prev(RunAfter(upto.Next())));
    runs_.front().first = upto.Next();
  }

  // Drops the entry at `first` and all after it.
  void TruncateFrom(LogIndex first) {
    CHECK(first > base_.index && first <= last_.Next()) << first;
    while (!runs_.empty() && runs_.back().first >= first) runs_.pop_back();
    last_ = first.Prev();
  }

 private:
  // The first run that begins after `index`.
  std::vector<TermRun>::const_iterator RunAfter(LogIndex index) const {
    return std::upper_bound(runs_.begin(), runs_.end(), index,
                            [](LogIndex i, const TermRun& run) { return i < run.first; });
  }

  LogPosition base_;
  LogIndex last_;
  std::vector<TermRun> runs_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_TERM_RUNS_H_
