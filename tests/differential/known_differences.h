// KnownDifferences: what Pontoon, which answers as etcd 3.7, answers differently from etcd 3.4 on
// purpose. All else that differs is a fault.

#ifndef PONTOON_TESTS_DIFFERENTIAL_KNOWN_DIFFERENCES_H_
#define PONTOON_TESTS_DIFFERENTIAL_KNOWN_DIFFERENCES_H_

#include <span>

#include "tests/differential/program.h"
#include "tests/differential/trace.h"

namespace pontoon::differential {

// What a difference does to the calls after it.
enum class Aftermath {
  kNone,
  // From then on the two servers hold different data, or number their watchers differently: the
  // rest of the program says nothing.
  kStatesDiffer,
};

struct KnownDifference {
  const char* name;
  const char* reason;
  // Looks for this difference in the answers to `call`. If it is there, takes it out of both,
  // leaves all else as it is, and returns true.
  bool (*take_out)(const Call& call, Reply* etcd, Reply* pontoon);
  Aftermath aftermath;
};

// The table. No two entries have one name.
std::span<const KnownDifference> KnownDifferences();

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_KNOWN_DIFFERENCES_H_
