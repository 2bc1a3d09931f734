// IsSound: which calls may be part of a program.

#ifndef PONTOON_TESTS_DIFFERENTIAL_SOUNDNESS_H_
#define PONTOON_TESTS_DIFFERENTIAL_SOUNDNESS_H_

#include "tests/differential/program.h"

namespace pontoon::differential {

// Whether a real etcd 3.4 survives the call, and its answer does not depend on chance.
bool IsSound(const Call& call);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_SOUNDNESS_H_
