#include "kv/store/state_digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pontoon::kv {

void StateDigest::Mix(std::string_view bytes) {
  value_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), value_);
}

// The same on machines of either byte order.
void StateDigest::Mix(uint64_t number) {
  char bytes[sizeof(number)];
  for (char& byte : bytes) {
    byte = static_cast<char>(number);
    number >>= 8;
  }
  Mix(std::string_view(bytes, sizeof(bytes)));
}

}  // namespace pontoon::kv
