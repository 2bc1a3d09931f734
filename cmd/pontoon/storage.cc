#include "cmd/pontoon/storage.h"

#include <memory>
#include <string>
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

// Opens the state as `store`, and holds the log against it.
absl::StatusOr<raft::FoundState> OpenState(const DataFolder& folder,
                                           const kv::StoreOptions& options, raft::LogStore* log,
                                           raft::RecoveredLog* recovered,
                                           std::unique_ptr<kv::KvStore>* store) {
  auto opened = kv::KvStore::Open(folder.state_path(), options);
  if (!opened.ok()) return opened.status();
  *store = *std::move(opened);
  absl::StatusOr<std::string> membership = (*store)->Membership();
  if (!membership.ok()) return membership.status();
  const raft::FoundState found{(*store)->Applied(), (*store)->began_as(), *std::move(membership)};
  absl::Status fit = raft::FitLogToState(folder.log_path(), found, log, recovered);
  if (!fit.ok()) return fit;
  return found;
}

// A state that is ahead of its log proves that synced entries of the log were lost, and so does one
// that is to be discarded: it is looked at before. One that cannot be opened proves nothing.
absl::Status DiscardState(FileSystem* fs, const DataFolder& folder, const kv::StoreOptions& options,
                          raft::LogStore* log, raft::RecoveredLog* recovered) {
  const NodeId self = folder.identity().member;
  const Membership first = FirstMembership(folder.identity());
  if (recovered->HistoryFrom(first).latest().membership.IsOnlyVoter(self)) {
    return absl::FailedPreconditionError(
        "--rebuild-from-peers: this only member has no peers to get the state from; start it "
        "without the flag");
  }
  {
    std::unique_ptr<kv::KvStore> store;
    const auto found = OpenState(folder, options, log, recovered, &store);
    if (!found.ok() && store != nullptr) return found.status();
  }
  const std::string discarded = absl::StrCat(folder.state_path(), ".discarded");
  if (absl::Status s = RemoveTree(fs, discarded); !s.ok()) return s;
  if (absl::Status s = fs->Rename(folder.state_path(), discarded); !s.ok()) return s;
  if (absl::Status s = fs->SyncDir(folder.path()); !s.ok()) return s;
  LogWarn("discarded the state, as --rebuild-from-peers says; start without the flag next time");
  return RemoveTree(fs, discarded);
}

}  // namespace

absl::StatusOr<Storage> OpenStorage(FileSystem* fs, const DataFolder& folder,
                                    const kv::StoreOptions& options, StateChoice choice) {
  Storage storage;
  raft::RecoveredLog recovered;
  auto log = raft::OpenSegmentedLog(fs, folder.log_path(), {}, &recovered);
  if (!log.ok()) return log.status();
  storage.log = *std::move(log);
  if (choice == StateChoice::kDiscard) {
    absl::Status s = DiscardState(fs, folder, options, storage.log.get(), &recovered);
    if (!s.ok()) return s;
  }
  const auto found = OpenState(folder, options, storage.log.get(), &recovered, &storage.store);
  if (!found.ok()) return found.status();
  MembershipHistory memberships = recovered.HistoryFrom(FirstMembership(folder.identity()));
  const bool needs_snapshot = found->applied.index < recovered.base.index;
  if (needs_snapshot) {
    if (memberships.latest().membership.IsOnlyVoter(folder.identity().member)) {
      return StateIsLost(folder, *found, recovered);
    }
    LogWarn("the state ends before the log begins; this member gets a snapshot from the leader",
            {{"state", found->applied.index}, {"log", recovered.base.index}});
  }
  storage.restored = {.hard_state = recovered.hard_state,
                      .base = recovered.base,
                      .last = recovered.last,
                      .terms = std::move(recovered.terms),
                      .applied = found->applied.index,
                      .memberships = std::move(memberships)};
  return storage;
}

}  // namespace pontoon
