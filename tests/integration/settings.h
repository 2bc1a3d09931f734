// Clusters in the states in which errors arise.

#ifndef PONTOON_TESTS_INTEGRATION_SETTINGS_H_
#define PONTOON_TESTS_INTEGRATION_SETTINGS_H_

#include <map>
#include <memory>

#include "absl/status/statusor.h"
#include "tests/integration/cluster.h"

namespace pontoon::testing {

enum class Setting {
  kHealthy,     // three nodes
  kFull,        // one node, whose quota is used up
  kCorrupt,     // one node, which is said to have a wrong state
  kNewLearner,  // one node, and a learner that was never started
  kLearner,     // one node, and a learner that has caught up
  kOneAway,     // three nodes, of which a follower was killed; the leader has noticed
  kLeaderless,  // three nodes, of which two were killed; the one that is left has noticed
  kOwn,         // three nodes, of which anything may be made
  kOwnQuick,    // the same, with short timeouts
};

// For each program the cluster of the last test. It is the next test's too, if that wants the same
// setting and may share it: kOwn and kOwnQuick are made anew for each.
class SharedClusters {
 public:
  // Valid until the next call for this program.
  absl::StatusOr<Cluster*> Get(Setting setting, Program program);
  void Clear() { entries_.clear(); }

 private:
  struct Entry {
    Setting setting = Setting::kHealthy;
    std::unique_ptr<Cluster> cluster;
  };

  std::map<Program, Entry> entries_;
};

// Whatever a healthy cluster was asked, each of its nodes takes writes.
void ExpectUnharmed(Cluster& cluster);

// The first node that runs.
int RunningNode(const Cluster& cluster);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_SETTINGS_H_
