#include "cmd/pontoon/storage.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/env/log.h"
#include "raft/storage/segmented_log.h"

namespace pontoon {
namespace {

// The term of the entry at `index`, which is in `log` or its base.
Term TermAt(const raft::RecoveredLog& log, LogIndex index) {
  Term term = log.base.term;
  for (const TermRun& run : log.terms) {
    if (run.first <= index) term = run.term;
  }
  return term;
}

absl::Status DoNotFit(absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("log/ and state/ do not belong together: ", why,
                   "; put back both from the same moment, or let the member begin anew"));
}

Membership VotersOf(const Identity& identity) {
  Membership membership;
  for (const FoundingMember& founder : identity.founders) membership.voters.push_back(founder.id);
  return membership;
}

// The term of what was applied was known to this member. It cannot have voted in it, if the log
// does not know the term: votes are durable before they leave.
HardState RaisedTo(Term term, HardState hard_state) {
  return hard_state.term < term ? HardState{term, kNoNode} : hard_state;
}

// Has the log begin anew behind `applied`, and `recovered` say so.
absl::Status ResetLog(LogPosition applied, raft::LogStore* log, raft::RecoveredLog* recovered) {
  LogWarn("the log has lost its last entries, but the state has them: the log begins anew there",
          {{"log_end", recovered->last}, {"applied", applied.index}});
  if (absl::Status s = log->ResetTo(applied); !s.ok()) return s;
  recovered->base = applied;
  recovered->last = applied.index;
  recovered->terms.clear();
  recovered->hard_state = RaisedTo(applied.term, recovered->hard_state);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LogFate> Reconcile(const raft::RecoveredLog& log, LogPosition applied) {
  if (applied.index < log.base.index) {
    return DoNotFit(absl::StrCat("the state ends at entry ", applied.index.value(),
                                 ", and the log begins after entry ", log.base.index.value()));
  }
  if (applied.index <= log.last) {
    const Term term = TermAt(log, applied.index);
    if (term == applied.term) return LogFate::kKeep;
    return DoNotFit(absl::StrCat("entry ", applied.index.value(), " is of term ", term.value(),
                                 " in the log, and was applied as one of term ",
                                 applied.term.value()));
  }
  if (log.hard_state.term == Term{0}) {
    return DoNotFit(absl::StrCat("the log is empty, and the state ends at entry ",
                                 applied.index.value(),
                                 ", so the log and the votes in it were lost"));
  }
  return LogFate::kReset;
}

absl::StatusOr<Storage> OpenStorage(FileSystem* fs, const DataFolder& folder,
                                    const kv::StoreOptions& options) {
  Storage storage;
  raft::RecoveredLog recovered;
  auto log = raft::OpenSegmentedLog(fs, folder.log_path(), {}, &recovered);
  if (!log.ok()) return log.status();
  storage.log = *std::move(log);
  auto store = kv::KvStore::Open(folder.state_path(), options);
  if (!store.ok()) return store.status();
  storage.store = *std::move(store);

  const LogPosition applied = storage.store->Applied();
  const absl::StatusOr<LogFate> fate = Reconcile(recovered, applied);
  if (!fate.ok()) return fate.status();
  if (*fate == LogFate::kReset) {
    if (absl::Status s = ResetLog(applied, storage.log.get(), &recovered); !s.ok()) return s;
  }
  storage.restored = {.hard_state = recovered.hard_state,
                      .base = recovered.base,
                      .last = recovered.last,
                      .terms = std::move(recovered.terms),
                      .applied = applied.index,
                      .membership = VotersOf(folder.identity())};
  return storage;
}

}  // namespace pontoon
