// What is in the file of a snapshot.

#ifndef PONTOON_CMD_PONTOONCTL_SNAPSHOT_FILE_H_
#define PONTOON_CMD_PONTOONCTL_SNAPSHOT_FILE_H_

#include <cstdint>
#include <istream>
#include <optional>

#include "absl/status/statusor.h"
#include "kv/store/meta.h"

namespace pontoon::ctl {

struct SnapshotSummary {
  // kEtcd: a bbolt database, which only etcd's own tools can look into.
  enum class Format { kPontoon, kEtcd };

  // Of a Pontoon's.
  struct Contents {
    kv::StoreMeta meta;
    uint64_t keys = 0;      // at the present revision
    uint64_t versions = 0;  // that can be read at some revision, deletions included
  };

  Format format;
  uint64_t bytes = 0;  // of the file
  std::optional<Contents> contents = {};
};

// Reads all of `in`, a file of `bytes` as SnapshotDownload writes it, and checks it: the SHA-256 at
// its end, and of a Pontoon's also each block and the records of the store itself. DATA_LOSS if
// something does not fit, INVALID_ARGUMENT if it is no snapshot at all.
absl::StatusOr<SnapshotSummary> InspectSnapshot(std::istream& in, uint64_t bytes);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SNAPSHOT_FILE_H_
