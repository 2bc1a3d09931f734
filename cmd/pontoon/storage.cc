#include "cmd/pontoon/storage.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/env/log.h"
#include "raft/storage/log_fit.h"
#include "raft/storage/segmented_log.h"

namespace pontoon {
namespace {

// What is in effect before the first entry of the log. Who joins has only addresses to begin with:
// where it can be reached, and from where.
Membership FirstMembership(const Identity& identity) {
  Membership membership;
  for (const KnownMember& member : identity.first_members) {
    if (identity.origin == Origin::kFounder) membership.voters.push_back(member.id);
    membership.peer_urls[member.id] = {member.peer_url.ToString()};
  }
  return membership;
}

absl::Status StateIsLost(const DataFolder& folder, const raft::FoundState& found,
                         const raft::RecoveredLog& log) {
  return absl::DataLossError(absl::StrCat(
      "The state in ", folder.state_path(), " ends at entry ", found.applied.index.value(),
      ", and the log begins after entry ", log.base.index.value(),
      ": what is between is lost, and this only member has nobody to get it from. Put the folder "
      "back from a copy."));
}

}  // namespace

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

  absl::StatusOr<std::string> membership = storage.store->Membership();
  if (!membership.ok()) return membership.status();
  const raft::FoundState found{storage.store->Applied(), storage.store->began_as(),
                               *std::move(membership)};
  absl::Status fit = raft::FitLogToState(folder.log_path(), found, storage.log.get(), &recovered);
  if (!fit.ok()) return fit;
  MembershipHistory memberships = recovered.HistoryFrom(FirstMembership(folder.identity()));
  const bool needs_snapshot = found.applied.index < recovered.base.index;
  if (needs_snapshot) {
    if (memberships.latest().membership.IsOnlyVoter(folder.identity().member)) {
      return StateIsLost(folder, found, recovered);
    }
    LogWarn("the state ends before the log begins; this member gets a snapshot from the leader",
            {{"state", found.applied.index}, {"log", recovered.base.index}});
  }
  storage.restored = {.hard_state = recovered.hard_state,
                      .base = recovered.base,
                      .last = recovered.last,
                      .terms = std::move(recovered.terms),
                      .applied = found.applied.index,
                      .memberships = std::move(memberships)};
  return storage;
}

}  // namespace pontoon
