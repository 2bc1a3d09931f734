// CRC-32C (Castagnoli; RFC 3720, appendix B.4): the checksum of everything that lies on the disk.

#ifndef PONTOON_RAFT_ENV_CRC32C_H_
#define PONTOON_RAFT_ENV_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace pontoon {

// The checksum of the bytes that `crc` is of, followed by `bytes`. The checksum of no bytes is 0.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes);

inline uint32_t Crc32c(absl::string_view bytes) { return ExtendCrc32c(0, bytes); }

namespace crc32c_internal {

// The two ways to the same result, for tests.
uint32_t ExtendWithTables(uint32_t crc, absl::string_view bytes);
// Only where HasInstruction().
uint32_t ExtendWithInstruction(uint32_t crc, absl::string_view bytes);
bool HasInstruction();

}  // namespace crc32c_internal
}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_CRC32C_H_
