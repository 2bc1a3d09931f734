#include "raft/storage/log_fit.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "raft/env/log.h"
#include "raft/storage/damage.h"

namespace pontoon::raft {
namespace {

// The term of the entry at `index`, which is in `log` or its base.
Term TermAt(const RecoveredLog& log, LogIndex index) {
  Term term = log.base.term;
  for (const TermRun& run : log.terms) {
    if (run.first <= index) term = run.term;
  }
  return term;
}

// Lets `log` and what was recovered of it begin anew after `state`.
absl::Status BeginAnew(const FoundState& state, LogStore* log, RecoveredLog* recovered) {
  if (state.membership.empty()) {
    // None came up to there: of what is known, only what was before the log's beginning counts.
    std::erase_if(recovered->memberships,
                  [&](const auto& item) { return item.index > recovered->base.index; });
  } else {
    absl::StatusOr<Membership> membership = DecodeMembership(state.membership);
    if (!membership.ok()) return membership.status();
    recovered->memberships = {{state.applied.index, RequestId{}, *std::move(membership)}};
  }
  recovered->base = state.applied;
  recovered->last = state.applied.index;
  recovered->terms.clear();
  return log->ResetTo(state.applied, state.membership);
}

}  // namespace

absl::Status FitLogToState(const std::string& log_path, const FoundState& state, LogStore* log,
                           RecoveredLog* recovered) {
  const LogPosition applied = state.applied;
  if (applied.index < recovered->base.index) return absl::OkStatus();
  const bool in_log = applied.index <= recovered->last;
  if (in_log && TermAt(*recovered, applied.index) == applied.term) return absl::OkStatus();

  // Nothing of a snapshot is taken before the term in which it was sent is durable. So a node that
  // knows of no such term has lost its log, with its votes.
  const bool is_untouched_snapshot = applied.index > LogIndex() &&
                                     applied.index == state.began_as &&
                                     recovered->hard_state.term >= applied.term;
  if (is_untouched_snapshot) {
    LogInfo("the log begins anew with the snapshot that was installed before the crash",
            {{"index", applied.index}, {"term", applied.term}});
    return BeginAnew(state, log, recovered);
  }
  if (!in_log) {
    return DamageError(
        "log", log_path,
        absl::StrCat("ends at entry ", recovered->last.value(),
                     ", and state/ holds what came up to entry ", applied.index.value(),
                     ": synced entries are missing (if there is a copy, put the log back whole)"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "log/ and state/ do not belong together: entry ", applied.index.value(), " is of term ",
      TermAt(*recovered, applied.index).value(), " in the log, and was applied as one of term ",
      applied.term.value(), "; put back both from the same moment, or let the member begin anew"));
}

}  // namespace pontoon::raft
