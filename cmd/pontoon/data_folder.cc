#include "cmd/pontoon/data_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cmd/pontoon/checked_text.h"

namespace pontoon {
namespace {

constexpr char kIdentityFile[] = "identity";
constexpr char kPeersFile[] = "peers";
constexpr char kRemovedFile[] = "removed";
constexpr char kLockFile[] = "LOCK";
constexpr char kLogDir[] = "log";
constexpr char kStateDir[] = "state";

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("data folder ", path, " ", why));
}

// For an error of the file system: what happened, and what to do about it.
absl::Status Unusable(const std::string& path, const absl::Status& error) {
  std::string advice = "repair the disk, or choose another folder with --data-dir";
  if (absl::StrContains(error.message(), "Read-only file system")) {
    advice = "mount the file system writable, or choose another folder with --data-dir";
  } else if (absl::IsPermissionDenied(error)) {
    advice = absl::StrCat("make it belong to the user that runs pontoon (uid ", geteuid(),
                          "), or choose another folder with --data-dir");
  } else if (absl::IsResourceExhausted(error)) {
    advice = "free space on the disk";
  } else if (absl::IsAlreadyExists(error)) {
    advice = "a file is in the way: choose another folder with --data-dir";
  }
  return Refuse(path, absl::StrCat("cannot be used: ", error.message(), "; ", advice));
}

// Makes a folder and those that it lies in, durably.
absl::Status MakeFolder(FileSystem* fs, const std::string& path) {
  const absl::StatusOr<bool> exists = fs->Exists(path);
  if (!exists.ok()) return exists.status();
  const std::string parent = DirName(path);
  if (!*exists && parent != path) {
    if (absl::Status s = MakeFolder(fs, parent); !s.ok()) return s;
  }
  if (absl::Status s = fs->CreateDir(path); !s.ok()) return s;
  return *exists ? absl::OkStatus() : fs->SyncDir(parent);
}

// Refuses a folder without an identity that holds anything but what the start of a new member may
// have left behind.
absl::Status CheckEmpty(FileSystem* fs, const std::string& path) {
  const absl::StatusOr<std::vector<std::string>> names = fs->ListDir(path);
  if (!names.ok()) return Unusable(path, names.status());
  for (const std::string& name : *names) {
    if (name == kLockFile || name == absl::StrCat(kIdentityFile, ".tmp") ||
        name == absl::StrCat(kPeersFile, ".tmp") || name == kPeersFile || name == "lost+found") {
      continue;
    }
    if (name == kLogDir || name == kStateDir) {
      const auto inside = fs->ListDir(JoinPath(path, name));
      if (!inside.ok()) return Unusable(path, inside.status());
      if (inside->empty()) continue;
      return Refuse(path, absl::StrCat("has data in ", name,
                                       "/ but the file `identity` is missing: put it back, or "
                                       "choose an empty folder for a new member"));
    }
    return Refuse(path, absl::StrCat("has no file `identity` but holds \"", name,
                                     "\": it is not pontoon's; choose an empty folder with "
                                     "--data-dir"));
  }
  return absl::OkStatus();
}

// Writes the identity of a new member into an empty folder. It is the last thing to be written
// here: with an identity the folders are there too, so one that is missing later was lost.
absl::StatusOr<Identity> Found(FileSystem* fs, const Config& config, const NewcomerMaker& make) {
  const std::string& path = config.data_dir;
  if (absl::Status s = CheckEmpty(fs, path); !s.ok()) return s;
  absl::StatusOr<Newcomer> newcomer = make(config);
  if (!newcomer.ok()) return newcomer.status();
  for (const char* dir : {kLogDir, kStateDir}) {
    if (absl::Status s = MakeFolder(fs, JoinPath(path, dir)); !s.ok()) return Unusable(path, s);
  }
  const std::pair<const char*, std::string> files[] = {
      {kPeersFile, FormatIncarnations(newcomer->peers)},
      {kIdentityFile, FormatIdentity(newcomer->identity)},
  };
  for (const auto& [name, contents] : files) {
    const absl::Status written = ReplaceFile(fs, JoinPath(path, name), contents);
    if (!written.ok()) return Unusable(path, written);
  }
  return std::move(newcomer->identity);
}

absl::StatusOr<Identity> ReadIdentity(FileSystem* fs, const std::string& path) {
  const std::string file_path = JoinPath(path, kIdentityFile);
  const absl::StatusOr<std::string> text = ReadTextFile(fs, file_path);
  if (!text.ok()) return Unusable(path, text.status());
  absl::StatusOr<Identity> identity = ParseIdentity(*text);
  if (absl::IsUnimplemented(identity.status())) {
    return Refuse(path, absl::StrCat(identity.status().message(), ": start that version"));
  }
  if (!identity.ok()) {
    return Refuse(path,
                  absl::StrCat("cannot be trusted: ", file_path, " ", identity.status().message(),
                               ": put back an undamaged copy of this file"));
  }
  return identity;
}

std::vector<ClusterEntry> FoundersOf(const Identity& identity) {
  std::vector<ClusterEntry> members;
  for (const KnownMember& founder : identity.first_members) {
    members.push_back({founder.name, founder.peer_url});
  }
  return members;
}

// Holds what the flags say against what the folder says.
absl::Status CheckSame(const std::string& path, const Identity& identity, const Config& config) {
  if (identity.name != config.name) {
    return Refuse(
        path, absl::StrCat("belongs to member ", identity.name, " (", FormatNodeId(identity.member),
                           "), not to ", config.name, ": correct --name or --data-dir"));
  }
  if (config.initial_cluster.token_given && config.initial_cluster.token != identity.token) {
    return Refuse(path, absl::StrCat("belongs to the cluster with the token ", identity.token,
                                     ", not ", config.initial_cluster.token,
                                     ": correct --initial-cluster-token or --data-dir"));
  }
  // Who joined was told by the cluster who is in it.
  if (!config.initial_cluster.members_given || identity.origin == Origin::kJoiner ||
      config.initial_cluster.state == ClusterState::kExisting) {
    return absl::OkStatus();
  }
  const Identity told =
      MakeFounder(config.name, config.initial_cluster, identity.incarnation, identity.snapshot);
  if (told.first_members != identity.first_members) {
    return Refuse(path, absl::StrCat("belongs to a cluster that was made of ",
                                     FormatCluster(FoundersOf(identity)), ", not of ",
                                     FormatCluster(config.initial_cluster.members),
                                     ": correct --initial-cluster or --data-dir"));
  }
  return absl::OkStatus();
}

absl::Status CheckNotRemoved(FileSystem* fs, const std::string& path, const Identity& identity) {
  const absl::StatusOr<bool> removed = fs->Exists(JoinPath(path, kRemovedFile));
  if (!removed.ok()) return Unusable(path, removed.status());
  if (!*removed) return absl::OkStatus();
  return Refuse(
      path, absl::StrCat("belongs to member ", identity.name, " (", FormatNodeId(identity.member),
                         "), which was removed from its cluster: to have it there again, "
                         "add it anew (pontoonctl member add) and start it with an empty "
                         "folder and --initial-cluster-state existing"));
}

absl::Status CheckComplete(FileSystem* fs, const std::string& path) {
  for (const char* dir : {kLogDir, kStateDir}) {
    const absl::StatusOr<bool> exists = fs->Exists(JoinPath(path, dir));
    if (!exists.ok()) return Unusable(path, exists.status());
    if (!*exists) {
      return Refuse(path, absl::StrCat("has lost its folder ", dir,
                                       "/: without it this member could break promises that it "
                                       "gave; put it back from where it went"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Open(FileSystem* fs, const Config& config,
                                            const NewcomerMaker& make) {
  const std::string& path = config.data_dir;
  if (absl::Status s = MakeFolder(fs, path); !s.ok()) return Unusable(path, s);

  absl::StatusOr<std::unique_ptr<FileLock>> lock = fs->Lock(JoinPath(path, kLockFile));
  if (absl::IsFailedPrecondition(lock.status())) {
    return Refuse(path,
                  "is in use by another process: stop that one, or choose another folder with "
                  "--data-dir");
  }
  if (!lock.ok()) return Unusable(path, lock.status());

  const absl::StatusOr<bool> known = fs->Exists(JoinPath(path, kIdentityFile));
  if (!known.ok()) return Unusable(path, known.status());
  absl::StatusOr<Identity> identity = *known ? ReadIdentity(fs, path) : Found(fs, config, make);
  if (!identity.ok()) return identity.status();
  if (absl::Status s = CheckSame(path, *identity, config); !s.ok()) return s;
  if (absl::Status s = CheckNotRemoved(fs, path, *identity); !s.ok()) return s;
  if (absl::Status s = CheckComplete(fs, path); !s.ok()) return s;
  return DataFolder(fs, path, *std::move(identity), *std::move(lock));
}

std::string DataFolder::LogPathIn(const std::string& folder) { return JoinPath(folder, kLogDir); }
std::string DataFolder::StatePathIn(const std::string& folder) {
  return JoinPath(folder, kStateDir);
}
std::string DataFolder::peers_path() const { return JoinPath(path_, kPeersFile); }

absl::Status DataFolder::MarkRemoved() const {
  return ReplaceFile(
      fs_, JoinPath(path_, kRemovedFile),
      "This member was removed from its cluster; its data are of no use any more.\n");
}

std::optional<std::string> FolderAccessNotice(const std::string& path) {
  struct stat info;
  constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
  if (stat(path.c_str(), &info) != 0 || (info.st_mode & kOthers) == 0) return std::nullopt;
  return absl::StrFormat("other users may look into %s (mode %04o): chmod 700 keeps them out", path,
                         info.st_mode & 07777);
}

}  // namespace pontoon
