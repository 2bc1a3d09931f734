#include "cmd/pontoonctl/snapshot_download.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

std::string PartialPath(const std::string& path) { return path + ".part"; }

}  // namespace

absl::StatusOr<std::unique_ptr<SnapshotDownload>> SnapshotDownload::Begin(FileSystem* fs,
                                                                          const std::string& path) {
  // Left by one that was killed.
  if (const absl::Status removed = fs->Remove(PartialPath(path));
      !removed.ok() && !absl::IsNotFound(removed)) {
    return removed;
  }
  absl::StatusOr<std::unique_ptr<File>> file = fs->CreateFile(PartialPath(path));
  if (!file.ok()) return file.status();
  return std::unique_ptr<SnapshotDownload>(new SnapshotDownload(fs, path, *std::move(file)));
}

SnapshotDownload::SnapshotDownload(FileSystem* fs, const std::string& path,
                                   std::unique_ptr<File> file)
    : fs_(fs), path_(path), file_(std::move(file)) {}

SnapshotDownload::~SnapshotDownload() {
  if (file_ != nullptr) fs_->Remove(PartialPath(path_)).IgnoreError();
}

absl::Status SnapshotDownload::Add(const etcdserverpb::SnapshotResponse& piece) {
  if (complete_) return absl::DataLossError("more came after the end of the snapshot");
  // The digest comes once nothing remains.
  if (remaining_bytes_ == 0) {
    if (piece.blob() != sha256_.Finish()) {
      return absl::DataLossError("the snapshot does not have the SHA-256 that the server sent");
    }
    complete_ = true;
    return Write(piece.blob());
  }
  const uint64_t left_before =
      remaining_bytes_.value_or(piece.remaining_bytes() + piece.blob().size());
  if (!remaining_bytes_.has_value()) bytes_total_ = left_before;
  if (piece.remaining_bytes() + piece.blob().size() != left_before) {
    return absl::DataLossError(absl::StrCat("a piece of the snapshot is missing: ", left_before,
                                            " bytes remained, then came ", piece.blob().size(),
                                            " and ", piece.remaining_bytes(), " remain"));
  }
  remaining_bytes_ = piece.remaining_bytes();
  sha256_.Add(piece.blob());
  return Write(piece.blob());
}

absl::Status SnapshotDownload::Finish() {
  if (!complete_) return absl::DataLossError("the snapshot is cut off");
  if (const absl::Status synced = file_->Sync(); !synced.ok()) return synced;
  if (const absl::Status renamed = fs_->Rename(PartialPath(path_), path_); !renamed.ok()) {
    return renamed;
  }
  file_.reset();
  return fs_->SyncDir(DirName(path_));
}

absl::Status SnapshotDownload::Write(absl::string_view bytes) {
  const absl::Status written = file_->WriteAt(written_bytes_, bytes);
  written_bytes_ += bytes.size();
  return written;
}

}  // namespace pontoon::ctl
