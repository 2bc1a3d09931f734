#include "tests/differential/duel.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/differential/shrink.h"
#include "tests/differential/soundness.h"

namespace pontoon::differential {
namespace {

// So often, and so long, a program is run to make it smaller. A run that a server does not survive
// takes seconds.
constexpr size_t kShrinkRunsMax = 600;
constexpr absl::Duration kShrinkTimeMost = absl::Minutes(2);

testing::ClusterOptions OptionsOf(const Contestant& contestant) {
  testing::ClusterOptions options;
  options.program = contestant.program;
  options.extra_flags = contestant.flags;
  options.node_count = 1;
  // The least time to live of a lease is one and a half times this: none ends within a program.
  options.election_timeout = absl::Seconds(5);
  return options;
}

bool AllAreSound(const Program& program) {
  return std::all_of(program.calls.begin(), program.calls.end(), IsSound);
}

}  // namespace

Duel::Side::Side(const Contestant& contestant)
    : cluster(OptionsOf(contestant)), executor(cluster.client(0).channel()) {}

absl::Status Duel::Start() {
  etcd_ = std::make_unique<Side>(Contestant{.program = testing::Program::kEtcd});
  pontoon_ = std::make_unique<Side>(contestant_);
  for (Side* side : {etcd_.get(), pontoon_.get()}) {
    if (absl::Status s = side->cluster.Start(0); !s.ok()) return s;
  }
  for (Side* side : {etcd_.get(), pontoon_.get()}) {
    if (absl::Status s = side->cluster.WaitForLeader().status(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<Comparison> Duel::Run(const Program& program) {
  if (etcd_ == nullptr) {
    if (absl::Status s = Start(); !s.ok()) return s;
  }
  Trace etcd;
  std::thread other([&] { etcd = etcd_->executor.Run(program); });
  Trace pontoon = pontoon_->executor.Run(program);
  other.join();
  if (!etcd.failure.empty() || !pontoon.failure.empty()) {
    etcd_ = nullptr;
    pontoon_ = nullptr;
  }
  return Compare(program, std::move(etcd), std::move(pontoon));
}

Program Duel::Shrink(const Program& program) {
  const absl::Time deadline = absl::Now() + kShrinkTimeMost;
  return differential::Shrink(program, kShrinkRunsMax, [&](const Program& candidate) {
    if (absl::Now() > deadline || !AllAreSound(candidate)) return false;
    const absl::StatusOr<Comparison> comparison = Run(candidate);
    return comparison.ok() && comparison->difference.has_value();
  });
}

}  // namespace pontoon::differential
