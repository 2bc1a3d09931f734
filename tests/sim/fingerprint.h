// Fingerprint: a 64-bit digest that is the same in every process and on every machine.

#ifndef PONTOON_TESTS_SIM_FINGERPRINT_H_
#define PONTOON_TESTS_SIM_FINGERPRINT_H_

#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"
#include "raft/base/types.h"

namespace pontoon::sim {

// Digests are chained: Mix(Mix(0, a), b) is that of a followed by b. Not for secrets.
inline uint64_t Mix(uint64_t digest, uint64_t word) {
  uint64_t z = (digest ^ word) * 0x9e3779b97f4a7c15u;
  z ^= z >> 32;
  return (z + (digest << 1)) * 0xd6e8feb86659fd93u;
}

inline uint64_t Mix(uint64_t digest, absl::string_view bytes) {
  digest = Mix(digest, bytes.size());
  for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    digest = Mix(digest, word);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return Mix(digest, rest);
}

// Of an entry and, through `previous`, of everything before it.
inline uint64_t Mix(uint64_t previous, const Entry& entry) {
  uint64_t digest = Mix(previous, entry.index.value());
  digest = Mix(digest, entry.term.value());
  digest = Mix(digest, static_cast<uint64_t>(entry.kind));
  if (entry.kind == EntryKind::kNoOp) return digest;
  digest = Mix(digest, entry.request.origin.value());
  digest = Mix(digest, entry.request.sequence);
  return Mix(digest, *entry.payload);
}

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_FINGERPRINT_H_
