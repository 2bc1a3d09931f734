// The ids of members and clusters, as users read and write them.

#ifndef PONTOON_CMD_PONTOONCTL_MEMBER_ID_H_
#define PONTOON_CMD_PONTOONCTL_MEMBER_ID_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace pontoon::ctl {

// "8e9e05c52164694d".
std::string FormatId(uint64_t id);

// The error says what is wrong with the text.
absl::StatusOr<uint64_t> ParseMemberId(const std::string& text);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_MEMBER_ID_H_
