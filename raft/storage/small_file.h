// SmallFile: a few integers, and perhaps some bytes, in a file that is replaced as a whole.

#ifndef PONTOON_RAFT_STORAGE_SMALL_FILE_H_
#define PONTOON_RAFT_STORAGE_SMALL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/env/file_system.h"

namespace pontoon::raft {

// The file is replaced (written beside, synced, renamed, folder synced) rather than written in
// place into two alternating slots. Slots would save a sync, but a slot that fails its checksum
// would leave open whether the last write was torn, and the other slot is the truth, or whether it
// was complete and rotted since, and the other slot is out of date. A renamed file is complete from
// the moment it has its name: if it is damaged, it is damage, and the node stops.
//
//   offset  bytes
//        0      8  magic
//        8      4  format version: 1
//       12      4  CRC-32C of the other bytes
//       16   8 * n  the integers
//          the rest  the bytes, of a kind that has them
//
// Thread safety: one thread at a time.
class SmallFile {
 public:
  // What tells one such file from another.
  struct Kind {
    absl::string_view name;   // in its folder
    absl::string_view what;   // it is, for people
    absl::string_view magic;  // 8 bytes
    size_t count = 0;         // of its integers
    bool has_bytes = false;
  };

  struct Content {
    std::vector<uint64_t> values;
    std::string bytes{};

    friend bool operator==(const Content&, const Content&) = default;
  };

  SmallFile(FileSystem* fs, const std::string& dir, const Kind& kind);

  // What was saved last; nothing if there is no file. DATA_LOSS if the file is damaged.
  absl::StatusOr<std::optional<Content>> Load() const;

  // Makes `values`, as many as the kind says, durable, and `bytes`. After an error either the old
  // or the new ones will be loaded.
  absl::Status Save(std::span<const uint64_t> values, absl::string_view bytes = {});

  const std::string& path() const { return path_; }

 private:
  // Of a file without bytes.
  size_t LeastFileBytes() const;

  FileSystem* const fs_;
  const Kind kind_;
  const std::string path_;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_SMALL_FILE_H_
