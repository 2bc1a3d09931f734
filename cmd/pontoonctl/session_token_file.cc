#include "cmd/pontoonctl/session_token_file.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cmd/pontoonctl/member_id.h"

namespace pontoon::ctl {
namespace {

absl::StatusOr<std::unique_ptr<FileLock>> LockFor(FileSystem* fs, const std::string& path,
                                                  Deadline deadline) {
  const std::string lock_path = absl::StrCat(path, ".lock");
  Backoff backoff(deadline);
  for (;;) {
    auto lock = fs->Lock(lock_path);
    if (lock.ok() || !absl::IsFailedPrecondition(lock.status())) return lock;
    if (!backoff.Pause()) {
      return absl::UnavailableError(absl::StrCat(lock_path, " is in use by another command"));
    }
  }
}

}  // namespace

absl::StatusOr<std::optional<SessionToken>> LoadSessionToken(FileSystem* fs,
                                                             const std::string& path) {
  const auto file = fs->OpenFile(path);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> line = ReadAll(**file);
  if (!line.ok()) return line.status();
  const auto token = DecodeSessionToken(absl::StripSuffix(*line, "\n"));
  if (token.ok()) return *token;
  return absl::DataLossError(
      absl::StrCat(path, ": ", token.status().message(),
                   "; remove the file to begin a new session, which has seen nothing yet"));
}

absl::Status AdvanceSessionToken(FileSystem* fs, const std::string& path, const SessionToken& seen,
                                 Deadline deadline) {
  const auto lock = LockFor(fs, path, deadline);
  if (!lock.ok()) return lock.status();
  const auto present = LoadSessionToken(fs, path);
  if (!present.ok()) return present.status();
  if (present->has_value()) {
    if (absl::Status s = CheckCluster(**present, seen.cluster_id, path); !s.ok()) return s;
    if ((*present)->revision >= seen.revision) return absl::OkStatus();
  }
  return ReplaceFile(fs, path, absl::StrCat(EncodeSessionToken(seen), "\n"));
}

absl::Status CheckCluster(const SessionToken& token, uint64_t cluster_id, const std::string& path) {
  if (token.cluster_id == cluster_id) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      path, " is a session with cluster ", FormatId(token.cluster_id),
      ", and these endpoints are of ", FormatId(cluster_id),
      ", whose revisions are others: give the endpoints of the former, or another file"));
}

}  // namespace pontoon::ctl
