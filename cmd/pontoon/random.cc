#include "cmd/pontoon/random.h"

#include <sys/random.h>

#include "raft/base/check.h"

namespace pontoon {

uint64_t RandomBits() {
  uint64_t bits = 0;
  // That few bytes come whole and without an error.
  CHECK_EQ(getrandom(&bits, sizeof(bits), 0), static_cast<ssize_t>(sizeof(bits)));
  return bits;
}

}  // namespace pontoon
