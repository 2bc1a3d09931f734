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

void TermTrail::DropUpTo(LogIndex upto) {
  const std::optional<Term> term = TermAt(upto);
  CHECK(term.has_value()) << "index " << upto << " is not in the log";
  base_ = {upto, *term};
  // The last run that begins at or before the first entry that is left begins with that one now.
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), upto.Next(),
                                      [](LogIndex i, const TermRun& run) { return i < run.first; });
  if (after != runs_.begin()) runs_.erase(runs_.begin(), std::prev(after));
  if (upto == last_) {
    runs_.clear();
  } else {
    runs_.front().first = upto.Next();
  }
}

LogPosition TermTrail::LastPossibleMatch(LogPosition limit) const {
  if (limit.index < base_.index) return limit;
  LogIndex index = std::min(limit.index, last_);
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (run->first > index) continue;
    if (run->term <= limit.term) return {index, run->term};
    index = run->first.Prev();
  }
  return base_;
}

}  // namespace pontoon::raft
