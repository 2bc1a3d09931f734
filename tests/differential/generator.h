// Generator: random programs, from a seed and nothing else.

#ifndef PONTOON_TESTS_DIFFERENTIAL_GENERATOR_H_
#define PONTOON_TESTS_DIFFERENTIAL_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/differential/program.h"

namespace pontoon::differential {

// Groups of calls.
enum class CallGroup {
  kKv,       // Range, Put, DeleteRange
  kTxn,      // Txn
  kCompact,  // Compact
  kLease,    // LeaseGrant, LeaseRevoke, LeaseTimeToLive, LeaseLeases, LeaseKeepAlive
  kWatch,    // Watch
  kStatus,   // Maintenance.Alarm and .Status, Cluster.MemberList
};

using CallGroups = std::set<CallGroup>;

// Names of groups as in the enum, in lower case, with commas between: "kv,txn".
absl::StatusOr<CallGroups> ParseCallGroups(absl::string_view names);

CallGroups AllCallGroups();

struct GeneratorOptions {
  CallGroups groups = AllCallGroups();
  size_t calls = 20;  // of each program
};

// The same seed and options make the same program, on every machine. Keys are few, so that calls
// meet. Every call IsSound.
Program MakeProgram(uint64_t seed, const GeneratorOptions& options);

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_GENERATOR_H_
