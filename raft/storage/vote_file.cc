#include "raft/storage/vote_file.h"

#include <cstdint>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "raft/env/crc32c.h"
#include "raft/storage/damage.h"
#include "raft/storage/little_endian.h"

namespace pontoon::raft {
namespace {

constexpr absl::string_view kMagic = "PONTVOTE";
constexpr uint32_t kFormatVersion = 1;
constexpr size_t kFileBytes = 32;

uint32_t Checksum(absl::string_view bytes) {
  return ExtendCrc32c(Crc32c(bytes.substr(0, 12)), bytes.substr(16));
}

std::string Encode(const HardState& state) {
  std::string bytes(kMagic);
  AppendLittleEndian(kFormatVersion, &bytes);
  AppendLittleEndian(uint32_t{0}, &bytes);  // the checksum
  AppendLittleEndian(state.term.value(), &bytes);
  AppendLittleEndian(state.vote.value(), &bytes);
  std::string crc;
  AppendLittleEndian(Checksum(bytes), &crc);
  return bytes.replace(12, crc.size(), crc);
}

}  // namespace

VoteFile::VoteFile(FileSystem* fs, const std::string& dir)
    : fs_(fs), path_(JoinPath(dir, "vote")) {}

absl::StatusOr<std::optional<HardState>> VoteFile::Load() const {
  const absl::StatusOr<bool> exists = fs_->Exists(path_);
  if (!exists.ok()) return exists.status();
  if (!*exists) return std::nullopt;
  const absl::StatusOr<std::unique_ptr<File>> file = fs_->OpenFile(path_);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> bytes = ReadAll(**file);
  if (!bytes.ok()) return bytes.status();

  const absl::string_view what = "vote file";
  if (bytes->size() != kFileBytes) {
    return DamageError(what, path_, absl::StrCat("has ", bytes->size(), " bytes"));
  }
  if (!absl::StartsWith(*bytes, kMagic) ||
      LoadLittleEndian<uint32_t>(*bytes, 12) != Checksum(*bytes)) {
    return DamageError(what, path_, "checksum mismatch at byte 0");
  }
  const uint32_t version = LoadLittleEndian<uint32_t>(*bytes, 8);
  if (version != kFormatVersion) {
    return DamageError(what, path_, absl::StrCat("unknown format version ", version));
  }
  return HardState{.term = Term(LoadLittleEndian<uint64_t>(*bytes, 16)),
                   .vote = NodeId(LoadLittleEndian<uint64_t>(*bytes, 24))};
}

absl::Status VoteFile::Save(const HardState& state) {
  return ReplaceFile(fs_, path_, Encode(state));
}

}  // namespace pontoon::raft
