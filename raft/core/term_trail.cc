#include "raft/core/term_trail.h"

#include <algorithm>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::raft {

TermTrail::TermTrail(LogPosition base, std::vector<TermRun> runs, LogIndex last)
    : base_(base), runs_(std::move(runs)), last_(last) {
  CHECK_EQ(runs_.empty(), last_ == base_.index) << "runs must cover the log";
  if (runs_.empty()) return;
  CHECK_EQ(runs_.front().first, base_.index.Next());
  CHECK_LE(runs_.back().first, last_);
  Term previous = base_.term;
  for (const TermRun& run : runs_) {
    CHECK_LE(previous, run.term) << "terms fall at index " << run.first;
    previous = run.term;
  }
}

LogPosition TermTrail::last() const {
  return runs_.empty() ? base_ : LogPosition{last_, runs_.back().term};
}

std::optional<Term> TermTrail::TermAt(LogIndex index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last_) return std::nullopt;
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), index,
                                      [](LogIndex i, const TermRun& run) { return i < run.first; });
  return std::prev(after)->term;
}

bool TermTrail::Contains(LogPosition position) const {
  return TermAt(position.index) == position.term;
}

void TermTrail::Append(LogIndex index, Term term) {
  CHECK_EQ(index, last_.Next());
  CHECK_GE(term, last().term);
  if (runs_.empty() || runs_.back().term != term) runs_.push_back({index, term});
  last_ = index;
}

void TermTrail::TruncateFrom(LogIndex from) {
  CHECK_GT(from, base_.index);
  if (from > last_) return;
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
  last_ = from.Prev();
}

LogPosition TermTrail::LastPossibleMatch(LogPosition limit) const {
  LogIndex index = std::min(limit.index, last_);
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->first > index) continue;
    if (run->term <= limit.term) return {index, run->term};
    index = run->first.Prev();
  }
  return base_;
}

}  // namespace pontoon::raft
