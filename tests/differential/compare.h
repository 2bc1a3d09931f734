// Compare: holds what two servers answered to a program against each other.

#ifndef PONTOON_TESTS_DIFFERENTIAL_COMPARE_H_
#define PONTOON_TESTS_DIFFERENTIAL_COMPARE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "tests/differential/program.h"
#include "tests/differential/trace.h"

namespace pontoon::differential {

// The first difference that no entry of the table explains.
struct Difference {
  std::string where;  // "call 3, Range" or "watcher 2 of stream 0"
  std::string etcd;   // each answer, as text
  std::string pontoon;

  std::string ToString() const;
};

struct CallCount {
  size_t calls = 0;
  size_t errors = 0;  // of these, the ones that etcd answers with an error
};

struct Comparison {
  std::optional<Difference> difference;
  // How often each entry of the table explained something, by its name.
  std::map<std::string, size_t> known;
  // What was compared, by the kind of call; not those after a difference.
  std::map<std::string, CallCount> calls;
};

// Both answers to every call, and all that each watcher was told, must be equal: codes and texts of
// errors, and messages field by field. Remaining times of leases may differ by a second.
Comparison Compare(const Program& program, Trace etcd, Trace pontoon);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_COMPARE_H_
