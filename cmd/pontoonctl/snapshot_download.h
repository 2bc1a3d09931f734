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

  // An error of the file.
  absl::Status Add(const etcdserverpb::SnapshotResponse& piece);

  // The stream has ended. Makes the file durable and gives it its name. DATA_LOSS if its last piece
  // is not the digest of those before.
  absl::Status Finish();

  // About as much as will come, as the server says; 0 before the first piece.
  uint64_t bytes_expected() const { return bytes_expected_; }
  // In the file; after Finish, all of it.
  uint64_t bytes_written() const { return written_bytes_; }

 private:
  SnapshotDownload(FileSystem* fs, const std::string& path, std::unique_ptr<File> file);

  absl::Status Write(absl::string_view bytes);

  FileSystem* const fs_;
  const std::string path_;
  std::unique_ptr<File> file_;  // null once it has its name
  Sha256 sha256_;
  uint64_t written_bytes_ = 0;
  uint64_t bytes_expected_ = 0;
  std::optional<std::string> last_piece_;  // not written yet
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SNAPSHOT_DOWNLOAD_H_
