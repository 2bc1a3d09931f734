#include "raft/storage/small_file.h"

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "raft/env/crc32c.h"
#include "raft/storage/damage.h"
#include "raft/storage/little_endian.h"

namespace pontoon::raft {
namespace {

constexpr uint32_t kFormatVersion = 1;
constexpr size_t kMagicBytes = 8;
constexpr size_t kHeaderBytes = 16;

uint32_t Checksum(absl::string_view bytes) {
  return ExtendCrc32c(Crc32c(bytes.substr(0, 12)), bytes.substr(kHeaderBytes));
}

}  // namespace

SmallFile::SmallFile(FileSystem* fs, const std::string& dir, const Kind& kind)
    : fs_(fs), kind_(kind), path_(JoinPath(dir, kind.name)) {
  CHECK_EQ(kind.magic.size(), kMagicBytes);
}

absl::StatusOr<std::optional<SmallFile::Content>> SmallFile::Load() const {
  const absl::StatusOr<bool> exists = fs_->Exists(path_);
  if (!exists.ok()) return exists.status();
  if (!*exists) return std::nullopt;
  const absl::StatusOr<std::unique_ptr<File>> file = fs_->OpenFile(path_);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> bytes = ReadAll(**file);
  if (!bytes.ok()) return bytes.status();

  const size_t least = LeastFileBytes();
  if (bytes->size() < least || (bytes->size() > least && !kind_.has_bytes)) {
    return DamageError(kind_.what, path_, absl::StrCat("has ", bytes->size(), " bytes"));
  }
  if (!absl::StartsWith(*bytes, kind_.magic) ||
      LoadLittleEndian<uint32_t>(*bytes, 12) != Checksum(*bytes)) {
    return DamageError(kind_.what, path_, "checksum mismatch at byte 0");
  }
  const uint32_t version = LoadLittleEndian<uint32_t>(*bytes, 8);
  if (version != kFormatVersion) {
    return DamageError(kind_.what, path_, absl::StrCat("unknown format version ", version));
  }
  Content content{.values = {}, .bytes = bytes->substr(least)};
  for (size_t offset = kHeaderBytes; offset < least; offset += sizeof(uint64_t)) {
    content.values.push_back(LoadLittleEndian<uint64_t>(*bytes, offset));
  }
  return content;
}

absl::Status SmallFile::Save(std::span<const uint64_t> values, absl::string_view bytes) {
  CHECK_EQ(values.size(), kind_.count) << path_;
  CHECK(kind_.has_bytes || bytes.empty()) << path_;
  std::string file(kind_.magic);
  AppendLittleEndian(kFormatVersion, &file);
  AppendLittleEndian(uint32_t{0}, &file);  // the checksum
  for (const uint64_t value : values) AppendLittleEndian(value, &file);
  file.append(bytes.data(), bytes.size());
  std::string crc;
  AppendLittleEndian(Checksum(file), &crc);
  return ReplaceFile(fs_, path_, file.replace(12, crc.size(), crc));
}

size_t SmallFile::LeastFileBytes() const { return kHeaderBytes + kind_.count * sizeof(uint64_t); }

}  // namespace pontoon::raft
