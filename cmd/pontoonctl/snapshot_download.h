// SnapshotDownload: a member's whole database on its way into a file.

#ifndef PONTOON_CMD_PONTOONCTL_SNAPSHOT_DOWNLOAD_H_
#define PONTOON_CMD_PONTOONCTL_SNAPSHOT_DOWNLOAD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/pontoonctl/sha256.h"
#include "proto/rpc.pb.h"
#include "raft/env/file_system.h"

namespace pontoon::ctl {

// Writes the pieces of a Maintenance.Snapshot to PATH.part, and renames it to PATH once all are
// there and their SHA-256, which the server sends last, is right. The file keeps the digest at its
// end, as etcdctl's do. Whatever goes wrong, PATH stays as it was and PATH.part is removed.
//
// Not thread safe.
class SnapshotDownload {
 public:
  // The file system must outlive it. An error if PATH.part cannot be written.
  static absl::StatusOr<std::unique_ptr<SnapshotDownload>> Begin(FileSystem* fs,
                                                                 const std::string& path);
  ~SnapshotDownload();

  SnapshotDownload(const SnapshotDownload&) = delete;
  SnapshotDownload& operator=(const SnapshotDownload&) = delete;

  // DATA_LOSS if the piece does not follow the one before, or the digest is wrong.
  absl::Status Add(const etcdserverpb::SnapshotResponse& piece);

  // All pieces have come. Makes the file durable and gives it its name.
  absl::Status Finish();

  // Of the database, without the digest; 0 before the first piece.
  uint64_t bytes_total() const { return bytes_total_; }

 private:
  SnapshotDownload(FileSystem* fs, const std::string& path, std::unique_ptr<File> file);

  absl::Status Write(absl::string_view bytes);

  FileSystem* const fs_;
  const std::string path_;
  std::unique_ptr<File> file_;  // null once it has its name
  Sha256 sha256_;
  uint64_t written_bytes_ = 0;
  uint64_t bytes_total_ = 0;
  std::optional<uint64_t> remaining_bytes_;  // after the last piece; nothing before the first
  bool complete_ = false;                    // the digest has come, and is right
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SNAPSHOT_DOWNLOAD_H_
