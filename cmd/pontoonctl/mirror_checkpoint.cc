#include "cmd/pontoonctl/mirror_checkpoint.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

// One object in a line: {"pontoonctl_mirror":1,...}. Prefixes are bytes, hence in hexadecimal
// digits; ids have 64 bits, which numbers of JSON have not everywhere.
constexpr char kVersionName[] = "pontoonctl_mirror";
constexpr int kVersion = 1;

}  // namespace

bool MirrorCheckpoint::IsOfSameMirror(const MirrorCheckpoint& other) const {
  return source_cluster == other.source_cluster && target_cluster == other.target_cluster &&
         prefix == other.prefix && target_prefix == other.target_prefix;
}

absl::StatusOr<std::optional<MirrorCheckpoint>> LoadCheckpoint(FileSystem* fs,
                                                               const std::string& path) {
  const auto file = fs->OpenFile(path);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> text = ReadAll(**file);
  if (!text.ok()) return text.status();
  const absl::Status none = absl::DataLossError(
      absl::StrCat(path, " is no checkpoint of a mirror: remove it, and the mirror begins anew"));
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value(kVersionName, 0) != kVersion) return none;
  MirrorCheckpoint checkpoint;
  const std::string digits[] = {json.value("source_cluster", ""), json.value("target_cluster", ""),
                                json.value("prefix", ""), json.value("target_prefix", "")};
  checkpoint.revision = json.value("revision", int64_t{0});
  if (!absl::SimpleHexAtoi(digits[0], &checkpoint.source_cluster) ||
      !absl::SimpleHexAtoi(digits[1], &checkpoint.target_cluster) || checkpoint.revision <= 0) {
    return none;
  }
  checkpoint.prefix = absl::HexStringToBytes(digits[2]);
  checkpoint.target_prefix = absl::HexStringToBytes(digits[3]);
  return checkpoint;
}

absl::Status SaveCheckpoint(FileSystem* fs, const std::string& path,
                            const MirrorCheckpoint& checkpoint) {
  const nlohmann::json json = {
      {kVersionName, kVersion},
      {"source_cluster", absl::StrCat(absl::Hex(checkpoint.source_cluster))},
      {"target_cluster", absl::StrCat(absl::Hex(checkpoint.target_cluster))},
      {"prefix", absl::BytesToHexString(checkpoint.prefix)},
      {"target_prefix", absl::BytesToHexString(checkpoint.target_prefix)},
      {"revision", checkpoint.revision},
  };
  return ReplaceFile(fs, path, json.dump() + "\n");
}

}  // namespace pontoon::ctl
