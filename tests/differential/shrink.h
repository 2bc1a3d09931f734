// Shrink: the least of a program that still does what is wrong.

#ifndef PONTOON_TESTS_DIFFERENTIAL_SHRINK_H_
#define PONTOON_TESTS_DIFFERENTIAL_SHRINK_H_

#include <cstddef>
#include <functional>

#include "tests/differential/program.h"

namespace pontoon::differential {

// Leaves calls out, and then fields and list elements of those that are left, as long as `fails`
// says that what remains still fails; asks it at most `asks_max` times. `program` must fail.
Program Shrink(Program program, size_t asks_max, const std::function<bool(const Program&)>& fails);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_SHRINK_H_
