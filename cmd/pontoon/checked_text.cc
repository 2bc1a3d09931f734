#include "cmd/pontoon/checked_text.h"

#include <charconv>
#include <memory>

#include "absl/strings/str_format.h"
#include "raft/env/crc32c.h"

namespace pontoon {
namespace {

constexpr uint64_t kFileBytesMax = 1 << 20;

std::string ChecksumLine(absl::string_view body) {
  return absl::StrFormat("checksum %08x\n", Crc32c({body.data(), body.size()}));
}

}  // namespace

std::string WithChecksum(const std::string& body) { return body + ChecksumLine(body); }

std::optional<absl::string_view> CheckedBody(absl::string_view text) {
  const size_t body_end = text.rfind("checksum ");
  if (body_end == absl::string_view::npos) return std::nullopt;
  const absl::string_view body = text.substr(0, body_end);
  if (text.substr(body_end) != ChecksumLine(body)) return std::nullopt;
  return body;
}

bool ParseHex(absl::string_view text, uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, 16);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

absl::StatusOr<std::string> ReadTextFile(FileSystem* fs, const std::string& path) {
  const absl::StatusOr<std::unique_ptr<File>> file = fs->OpenFile(path);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size > kFileBytesMax) return "";
  return ReadAll(**file);
}

}  // namespace pontoon
