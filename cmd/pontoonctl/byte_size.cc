#include "cmd/pontoonctl/byte_size.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pontoon::ctl {

std::string FormatBytes(uint64_t bytes) {
  const auto number = static_cast<double>(bytes);
  if (bytes < 1 << 10) return absl::StrCat(bytes, " B");
  if (bytes < 1 << 20) return absl::StrFormat("%.1f KiB", number / (1 << 10));
  return absl::StrFormat("%.1f MiB", number / (1 << 20));
}

}  // namespace pontoon::ctl
