#include "raft/storage/begin_file.h"

#include <array>
#include <vector>

namespace pontoon::raft {

BeginFile::BeginFile(FileSystem* fs, const std::string& dir)
    : file_(fs, dir, {.name = "begin", .what = "begin file", .magic = "PONTBEGN", .count = 3}) {}

absl::StatusOr<std::optional<LogBegin>> BeginFile::Load() const {
  const absl::StatusOr<std::optional<SmallFile::Content>> loaded = file_.Load();
  if (!loaded.ok()) return loaded.status();
  if (!loaded->has_value()) return std::nullopt;
  const std::vector<uint64_t>& values = (*loaded)->values;
  return LogBegin{.sequence = values[0], .previous = {LogIndex(values[1]), Term(values[2])}};
}

absl::Status BeginFile::Save(const LogBegin& begin) {
  return file_.Save(
      std::array{begin.sequence, begin.previous.index.value(), begin.previous.term.value()});
}

}  // namespace pontoon::raft
