// BeginFile: the small file that says where a log begins whose first segments were dropped.

#ifndef PONTOON_RAFT_STORAGE_BEGIN_FILE_H_
#define PONTOON_RAFT_STORAGE_BEGIN_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/base/types.h"
#include "raft/env/file_system.h"
#include "raft/storage/small_file.h"

namespace pontoon::raft {

// Segments of a lower sequence were dropped on purpose.
struct LogBegin {
  uint64_t sequence = 0;  // of the segment that the log begins with
  LogPosition previous;   // of the entry before its first one

  friend bool operator==(const LogBegin&, const LogBegin&) = default;
};

// Tells a segment that was dropped from one that was lost. How, says segmented_log.h.
//
// Magic: "PONTBEGN". The integers: sequence, index and term of the entry before the first one.
//
// Thread safety: one thread at a time.
class BeginFile {
 public:
  BeginFile(FileSystem* fs, const std::string& dir);

  // What was saved last; nothing if there is no file: nothing was ever dropped. DATA_LOSS if the
  // file is damaged.
  absl::StatusOr<std::optional<LogBegin>> Load() const;

  // Makes `begin` durable. After an error either the old or the new one will be loaded.
  absl::Status Save(const LogBegin& begin);

 private:
  SmallFile file_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_BEGIN_FILE_H_
