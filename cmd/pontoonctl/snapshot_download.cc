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
  if (!last_piece_.has_value()) bytes_expected_ = piece.remaining_bytes() + piece.blob().size();
  // Only the end of the stream tells that a piece was the digest.
  if (last_piece_.has_value()) {
    sha256_.Add(*last_piece_);
    if (absl::Status written = Write(*last_piece_); !written.ok()) return written;
  }
  last_piece_ = piece.blob();
  return absl::OkStatus();
}

absl::Status SnapshotDownload::Finish() {
  if (!last_piece_.has_value() || last_piece_->size() != kSha256Bytes) {
    return absl::DataLossError("the snapshot is cut off");
  }
  if (*last_piece_ != sha256_.Finish()) {
    return absl::DataLossError("the snapshot does not have the SHA-256 that the server sent");
  }
  if (absl::Status written = Write(*last_piece_); !written.ok()) return written;
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
