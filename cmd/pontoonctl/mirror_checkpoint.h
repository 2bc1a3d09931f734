// MirrorCheckpoint: how far a mirror is, in a file.

#ifndef PONTOON_CMD_PONTOONCTL_MIRROR_CHECKPOINT_H_
#define PONTOON_CMD_PONTOONCTL_MIRROR_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/env/file_system.h"

namespace pontoon::ctl {

// The target has all of the source up to `revision`. The rest says of which mirror that is so.
struct MirrorCheckpoint {
  uint64_t source_cluster = 0;
  uint64_t target_cluster = 0;
  std::string prefix = {};
  std::string target_prefix = {};
  int64_t revision = 0;

  // Whether the other one is of the same mirror.
  bool IsOfSameMirror(const MirrorCheckpoint& other) const;

  friend bool operator==(const MirrorCheckpoint&, const MirrorCheckpoint&) = default;
};

// Nothing if there is no such file; DATA_LOSS if it is no checkpoint.
absl::StatusOr<std::optional<MirrorCheckpoint>> LoadCheckpoint(FileSystem* fs,
                                                               const std::string& path);

// Replaces the file durably and in one step.
absl::Status SaveCheckpoint(FileSystem* fs, const std::string& path,
                            const MirrorCheckpoint& checkpoint);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_MIRROR_CHECKPOINT_H_
