#include "kv/maintenance/auto_compactor.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kv/store/store_harness.h"
#include "proto/command.pb.h"
#include "raft/base/check.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr NodeId kSelf{1};
constexpr NodeId kOther{2};

// Keeps the revisions that were to be compacted to, and answers nobody.
class NotingReplica final : public raft::Replica {
 public:
  void Propose(Payload payload, Instant, raft::ProposeCallback) override {
    storage::v1::Command command;
    CHECK(command.ParseFromString(*payload));
    revisions.push_back(command.compaction().revision());
  }
  void ReadBarrier(raft::ReadMode, Instant, raft::ReadCallback) override { CHECK(false); }
  void ChangeMembership(std::vector<MembershipChange>, Instant, raft::ChangeCallback) override {
    CHECK(false);
  }
  void TransferLeadership(NodeId, Instant, raft::TransferCallback) override { CHECK(false); }
  raft::ReplicaStatus Status() const override { return status; }

  raft::ReplicaStatus status;
  std::vector<int64_t> revisions;
};

class AutoCompactorTest : public testing::Test {
 protected:
  AutoCompactorTest() {
    replica_.status.self = kSelf;
    for (int i = 0; i < 10; ++i) store_.Put("k", "v");  // up to revision 11
    compactor_.Start();
  }

  StoreHarness store_;
  NotingReplica replica_;
  ManualClock clock_;
  ManualExecutor executor_{&clock_};
  AutoCompactor compactor_{{&replica_, &store_.store(), &clock_, &executor_},
                           std::make_unique<RevisionPolicy>(4)};
};

TEST_F(AutoCompactorTest, TheLeaderCompacts) {
  replica_.status.leader = kSelf;
  executor_.RunDue();
  EXPECT_THAT(replica_.revisions, ElementsAre(7));
  executor_.RunFor(absl::Minutes(4));
  EXPECT_THAT(replica_.revisions, ElementsAre(7));
  executor_.RunFor(absl::Minutes(1));
  EXPECT_THAT(replica_.revisions, ElementsAre(7, 7)) << "it has come to nothing so far";
  ASSERT_TRUE(store_.Compact(7).ok());
  executor_.RunFor(absl::Minutes(5));
  EXPECT_THAT(replica_.revisions, ElementsAre(7, 7));
}

TEST_F(AutoCompactorTest, NobodyElseCompacts) {
  replica_.status.leader = kOther;
  executor_.RunFor(absl::Hours(1));
  EXPECT_THAT(replica_.revisions, IsEmpty());
  replica_.status.leader = kSelf;
  executor_.RunFor(absl::Minutes(5));
  EXPECT_THAT(replica_.revisions, ElementsAre(7));
}

}  // namespace
}  // namespace pontoon::kv
