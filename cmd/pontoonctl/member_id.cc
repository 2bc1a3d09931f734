#include "cmd/pontoonctl/member_id.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pontoon::ctl {

std::string FormatId(uint64_t id) { return absl::StrCat(absl::Hex(id)); }

absl::StatusOr<uint64_t> ParseMemberId(const std::string& text) {
  uint64_t id = 0;
  if (absl::SimpleHexAtoi(text, &id) && id != 0) return id;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no member id, such as 8e9e05c52164694d; see member list"));
}

}  // namespace pontoon::ctl
