#include "raft/storage/vote_file.h"

#include <array>
#include <cstdint>
#include <vector>

namespace pontoon::raft {

VoteFile::VoteFile(FileSystem* fs, const std::string& dir)
    : file_(fs, dir, {.name = "vote", .what = "vote file", .magic = "PONTVOTE", .count = 2}) {}

absl::StatusOr<std::optional<HardState>> VoteFile::Load() const {
  const absl::StatusOr<std::optional<SmallFile::Content>> loaded = file_.Load();
  if (!loaded.ok()) return loaded.status();
  if (!loaded->has_value()) return std::nullopt;
  const std::vector<uint64_t>& values = (*loaded)->values;
  return HardState{.term = Term(values[0]), .vote = NodeId(values[1])};
}

absl::Status VoteFile::Save(const HardState& state) {
  return file_.Save(std::array{state.term.value(), state.vote.value()});
}

}  // namespace pontoon::raft
