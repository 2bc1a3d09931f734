// Prng: the randomness of the core, from a seed and nothing else.

#ifndef PONTOON_RAFT_BASE_PRNG_H_
#define PONTOON_RAFT_BASE_PRNG_H_

#include <cstdint>

#include "raft/base/check.h"

namespace pontoon {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
// Small, and the same on every platform and library, so that a seed reproduces a run anywhere. Not
// for secrets.
class Prng {
 public:
  explicit Prng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // A number in [0, bound). The bias for bounds far below 2^64 is of no matter here.
  uint64_t Below(uint64_t bound) {
    CHECK_GT(bound, 0u);
    return Next() % bound;
  }

 private:
  uint64_t state_;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_BASE_PRNG_H_
