#include "cmd/pontoon/storage.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/storage/damage.h"
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

}  // namespace

absl::Status CheckFit(const raft::RecoveredLog& log, const std::string& log_path,
                      LogPosition applied) {
  if (applied.index < log.base.index) {
    return DoNotFit(absl::StrCat("the state ends at entry ", applied.index.value(),
                                 ", and the log begins after entry ", log.base.index.value()));
  }
  if (applied.index > log.last) {
    return raft::DamageError(
        "log", log_path,
        absl::StrCat("ends at entry ", log.last.value(),
                     ", and state/ holds what came up to entry ", applied.index.value(),
                     ": synced entries are missing (if there is a copy, put the log back whole)"));
  }
  const Term term = TermAt(log, applied.index);
  if (term == applied.term) return absl::OkStatus();
  return DoNotFit(absl::StrCat("entry ", applied.index.value(), " is of term ", term.value(),
                               " in the log, and was applied as one of term ",
                               applied.term.value()));
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
  if (absl::Status s = CheckFit(recovered, folder.log_path(), applied); !s.ok()) return s;
  storage.restored = {.hard_state = recovered.hard_state,
                      .base = recovered.base,
                      .last = recovered.last,
                      .terms = std::move(recovered.terms),
                      .applied = applied.index,
                      .membership = VotersOf(folder.identity())};
  return storage;
}

}  // namespace pontoon
