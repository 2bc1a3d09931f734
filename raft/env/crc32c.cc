#include "raft/env/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace pontoon {
namespace crc32c_internal {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

// The polynomial 0x1edc6f41 with its bits reversed.
constexpr uint32_t kPolynomial = 0x82f63b78;

using Table = std::array<uint32_t, 256>;

// Slicing-by-8 (Kounavis, Berry: "Novel Table Lookup-Based Algorithms for High-Performance CRC
// Generation", 2008): kTables[k][b] is the effect of byte b followed by k zero bytes.
constexpr std::array<Table, 8> MakeTables() {
  std::array<Table, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (size_t k = 1; k < tables.size(); ++k) {
      const uint32_t crc = tables[k - 1][byte];
      tables[k][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kTables = MakeTables();

uint64_t LoadWord(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

}  // namespace

uint32_t ExtendWithTables(uint32_t crc, absl::string_view bytes) {
  crc = ~crc;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const uint64_t word = LoadWord(bytes.data()) ^ crc;
    crc = 0;
    for (int k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~crc;
}

#if defined(__x86_64__)

bool HasInstruction() { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2"))) uint32_t ExtendWithInstruction(uint32_t crc,
                                                                 absl::string_view bytes) {
  uint64_t state = ~crc;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    state = _mm_crc32_u64(state, LoadWord(bytes.data()));
  }
  for (const char c : bytes) {
    state = _mm_crc32_u8(static_cast<uint32_t>(state), static_cast<unsigned char>(c));
  }
  return ~static_cast<uint32_t>(state);
}

#else

bool HasInstruction() { return false; }

uint32_t ExtendWithInstruction(uint32_t crc, absl::string_view bytes) {
  return ExtendWithTables(crc, bytes);
}

#endif

}  // namespace crc32c_internal

uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes) {
  static const auto extend = crc32c_internal::HasInstruction()
                                 ? &crc32c_internal::ExtendWithInstruction
                                 : &crc32c_internal::ExtendWithTables;
  return extend(crc, bytes);
}

}  // namespace pontoon
