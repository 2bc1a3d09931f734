// Fixed-width integers as they lie on the disk: little-endian, whatever the machine is.

#ifndef PONTOON_RAFT_STORAGE_LITTLE_ENDIAN_H_
#define PONTOON_RAFT_STORAGE_LITTLE_ENDIAN_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "raft/base/check.h"

namespace pontoon::raft {

template <std::unsigned_integral T>
void AppendLittleEndian(T value, std::string* out) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>((uint64_t{value} >> (8 * i)) & 0xff);
  }
  out->append(bytes, sizeof(T));
}

// The integer at `offset`; all of it must lie within `bytes`.
template <std::unsigned_integral T>
T LoadLittleEndian(absl::string_view bytes, size_t offset) {
  CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return static_cast<T>(value);
}

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_STORAGE_LITTLE_ENDIAN_H_
