// Sizes in bytes, as people read them.

#ifndef PONTOON_CMD_PONTOONCTL_BYTE_SIZE_H_
#define PONTOON_CMD_PONTOONCTL_BYTE_SIZE_H_

#include <cstdint>
#include <string>

namespace pontoon::ctl {

// "17 B", "2.5 KiB", "3.1 MiB".
std::string FormatBytes(uint64_t bytes);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_BYTE_SIZE_H_
