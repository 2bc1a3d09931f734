#include "kv/maintenance/store_quota.h"

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/service/testing/instant_replica.h"
#include "kv/store/store_harness.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::TxnRequest;

TEST(QuotaCostTest, CountsAsEtcdDoes) {
  EXPECT_EQ(QuotaCost(PutOf("key", "value")), 256u + 3 + 5);
  EXPECT_EQ(QuotaCost(etcdserverpb::LeaseGrantRequest()), 64u);

  TxnRequest txn;
  EXPECT_EQ(QuotaCost(txn), 0u);
  *txn.add_failure() = Op(DeleteOf("a", "z"));
  *txn.add_failure() = Op(RangeOf("a", "z"));
  EXPECT_EQ(QuotaCost(txn), 0u) << "what needs no space";
  *txn.add_success() = Op(PutOf("a", "1"));
  EXPECT_EQ(QuotaCost(txn), 258u);
  TxnRequest nested;
  *nested.add_success() = Op(PutOf("a", "1"));
  *nested.add_success() = Op(PutOf("b", "1"));
  *txn.add_failure() = Op(nested);
  EXPECT_EQ(QuotaCost(txn), 2 * 258u) << "the larger branch, with the nested one";
}

class StoreQuotaTest : public testing::Test {
 protected:
  // After this, entries come through the replica alone.
  StoreQuota QuotaOf(int64_t bytes) {
    replica_ = std::make_unique<InstantReplica>(NodeId{0xa1}, &store_.store());
    alarms_ = std::make_unique<AlarmRaiser>(replica_.get(), Clock::System());
    return StoreQuota(&store_.store(), alarms_.get(), bytes);
  }
  // Once the replica has done what it was asked for before.
  bool IsRaised() {
    absl::Notification done;
    replica_->ReadBarrier(raft::ReadMode::kQuorum, Instant(),
                          [&done](absl::Status) { done.Notify(); });
    done.WaitForNotification();
    return store_.store().View()->alarms().IsRaised(etcdserverpb::NOSPACE);
  }
  void Fill(int64_t bytes) {
    for (int i = 0; bytes > 0; bytes -= 100'000, ++i) {
      store_.Put("k" + std::to_string(i), std::string(100'000, 'v'));
    }
  }

  StoreHarness store_;
  std::unique_ptr<InstantReplica> replica_;
  std::unique_ptr<AlarmRaiser> alarms_;
};

TEST_F(StoreQuotaTest, TheStoreIsMeasuredWithWhatIsInMemory) {
  const uint64_t before = store_.store().MeasureLiveBytes();
  Fill(5'000'000);
  EXPECT_GE(store_.store().LiveBytes(), before + 5'000'000);
  EXPECT_LE(store_.store().LiveBytes(), before + 8'000'000);
  const uint64_t in_memory = store_.store().MeasureLiveBytes();
  ASSERT_TRUE(store_.store().Sync().ok());
  const uint64_t on_disk = store_.store().MeasureLiveBytes();
  EXPECT_GE(on_disk, 5'000'000u);
  EXPECT_LE(on_disk, in_memory);
}

TEST_F(StoreQuotaTest, TheEstimateFollowsEachWrite) {
  const uint64_t before = store_.store().LiveBytes();
  store_.Put("k", std::string(100'000, 'v'));
  EXPECT_GE(store_.store().LiveBytes(), before + 100'000);
}

TEST_F(StoreQuotaTest, WhatFitsIsAdmitted) {
  Fill(1'000'000);
  StoreQuota quota = QuotaOf(4'000'000);
  EXPECT_TRUE(quota.Admit(1'000'000).ok());
  EXPECT_FALSE(IsRaised());
}

TEST_F(StoreQuotaTest, WhatDoesNotFitIsRefusedAndRaisesTheAlarm) {
  Fill(1'000'000);
  StoreQuota quota = QuotaOf(1'500'000);
  EXPECT_TRUE(Is(quota.Admit(1'000'000), kErrNoSpace));
  EXPECT_TRUE(quota.Admit(0).ok()) << "deletions, which make room";
  EXPECT_TRUE(IsRaised());
  EXPECT_TRUE(Is(quota.Admit(1'000'000), kErrNoSpace));
  EXPECT_EQ(replica_->proposals(), 1) << "it is raised already";
}

TEST_F(StoreQuotaTest, WithoutAQuotaAllIsAdmitted) {
  StoreQuota quota = QuotaOf(-1);
  EXPECT_TRUE(quota.Admit(uint64_t{1} << 60).ok());
}

}  // namespace
}  // namespace pontoon::kv
