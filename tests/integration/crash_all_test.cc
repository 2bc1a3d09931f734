// All nodes lose their processes at the same moment, again and again, under 64 writers: what was
// acknowledged stays, on every node, and nothing appears that was not written.

#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/store_state.h"
#include "tests/integration/unique_writers.h"

namespace pontoon::testing {
namespace {

constexpr int kCrashes = 10;
constexpr size_t kWritesBeforeCrash = 2000;

class CrashAllTest : public ::testing::Test {
 protected:
  // Compares what the leader holds with the book of the writers, and the state of each other node,
  // once it has got from the leader what it lacks, with the leader's.
  void ExpectAllNodesKeepTheBook() {
    ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
    ASSERT_OK_AND_ASSIGN(const StoreState want,
                         ReadState(cluster_.client(leader), "", ReadMode::kLinearizable));
    EXPECT_EQ(writers_.FaultIn(want), "");
    for (int node : cluster_.AllNodesBut(leader)) {
      ASSERT_OK(cluster_.WaitForCatchUp(node));
      ASSERT_OK_AND_ASSIGN(const StoreState got,
                           ReadState(cluster_.client(node), "", ReadMode::kSerializable));
      EXPECT_EQ(DifferenceOf(want, got), "") << "on node " << node;
    }
  }

  Cluster cluster_;
  UniqueWriters writers_{&cluster_, {.on_failure = UniqueWritersOptions::OnFailure::kStop}};
};

TEST_F(CrashAllTest, NoAcknowledgedWriteIsLost) {
  ASSERT_OK(cluster_.StartAll());
  for (int crash = 1; crash <= kCrashes; ++crash) {
    SCOPED_TRACE(::testing::Message() << "crash " << crash);
    writers_.Begin();
    ASSERT_TRUE(writers_.WaitForAcknowledged(kWritesBeforeCrash, Cluster::kPatience));
    cluster_.KillAll();
    writers_.End();
    ASSERT_OK(cluster_.StartAll());
    ExpectAllNodesKeepTheBook();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pontoon::testing
