// Duel: an etcd and a Pontoon, and programs that both run.

#ifndef PONTOON_TESTS_DIFFERENTIAL_DUEL_H_
#define PONTOON_TESTS_DIFFERENTIAL_DUEL_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/differential/compare.h"
#include "tests/differential/executor.h"
#include "tests/differential/program.h"
#include "tests/integration/cluster.h"

namespace pontoon::differential {

// Who is held against etcd.
struct Contestant {
  testing::Program program = testing::Program::kPontoon;
  testing::Flags flags = {};  // in addition to those that etcd has
};

// Two servers of one node each, which stay up from program to program; after a program that one of
// them did not survive, both are made anew. With a second etcd as the contestant, all that is found
// is a fault of this test.
//
// Thread safety: one thread, which lives as long as the object.
class Duel {
 public:
  explicit Duel(Contestant contestant) : contestant_(std::move(contestant)) {}

  // Runs a program on both at the same time, and compares. An error is a server that does not
  // start.
  absl::StatusOr<Comparison> Run(const Program& program);

  // The least program that differs, made from `program`, which does.
  Program Shrink(const Program& program);

 private:
  struct Side {
    explicit Side(const Contestant& contestant);

    testing::Cluster cluster;
    Executor executor;
  };

  absl::Status Start();

  const Contestant contestant_;
  std::unique_ptr<Side> etcd_;
  std::unique_ptr<Side> pontoon_;
};

}  // namespace pontoon::differential

#endif  // PONTOON_TESTS_DIFFERENTIAL_DUEL_H_
