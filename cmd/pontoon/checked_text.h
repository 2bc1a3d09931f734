// Small files of text: lines for the operator's eyes, the last of which is a checksum.

#ifndef PONTOON_CMD_PONTOON_CHECKED_TEXT_H_
#define PONTOON_CMD_PONTOON_CHECKED_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raft/env/file_system.h"

namespace pontoon {

// `body`, which ends with a line break, and the checksum of it.
std::string WithChecksum(const std::string& body);

// The body of what WithChecksum made; nothing if `text` is not that.
std::optional<absl::string_view> CheckedBody(absl::string_view text);

// Takes a hexadecimal number, in the form that FormatId gives it, out of `text`. False if there is
// none, or more than it.
bool ParseHex(absl::string_view text, uint64_t& value);

// The whole file. The file system's errors; empty if the file is larger than any of this kind.
absl::StatusOr<std::string> ReadTextFile(FileSystem* fs, const std::string& path);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_CHECKED_TEXT_H_
