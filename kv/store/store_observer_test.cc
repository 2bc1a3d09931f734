// What an observer of the store hears.

#include "kv/store/store_observer.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kv/store/layout.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using storage::v1::Command;

class Recorder final : public StoreObserver {
 public:
  void OnStep(const StoreStep& step) override { steps.push_back(step); }

  std::vector<StoreStep> steps;
};

bool HasEvent(const StoreStep& step, EventId id) {
  std::string bytes;
  const absl::StatusOr<bool> found = step.view->records().Get(EventKey(id), &bytes);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() && *found;
}

class StoreObserverTest : public testing::Test {
 protected:
  ~StoreObserverTest() override { h_.store().Unsubscribe(&recorder_); }

  Recorder recorder_;
  StoreHarness h_;
};

TEST_F(StoreObserverTest, HearsOfEveryStepAfterTheViewItBeginsWith) {
  h_.Put("a", "1");
  const std::shared_ptr<const ReadView> first = h_.store().Subscribe(&recorder_);
  EXPECT_EQ(first->revision(), Revision(2));
  EXPECT_TRUE(recorder_.steps.empty());
  h_.Put("a", "2");
  h_.Put("a", "3");
  ASSERT_EQ(recorder_.steps.size(), 2u);
  EXPECT_EQ(recorder_.steps[0].view->revision(), Revision(3));
  EXPECT_EQ(recorder_.steps[1].view->revision(), Revision(4));
  EXPECT_EQ(recorder_.steps[1].kind, StoreStep::Kind::kApplied);
  h_.store().Unsubscribe(&recorder_);
  h_.Put("a", "4");
  EXPECT_EQ(recorder_.steps.size(), 2u);
}

TEST_F(StoreObserverTest, HearsOfAnInstallation) {
  StoreHarness other;
  other.Put("a", "1");
  h_.store().Subscribe(&recorder_);
  h_.InstallFrom(&other);
  ASSERT_EQ(recorder_.steps.size(), 1u);
  EXPECT_EQ(recorder_.steps[0].kind, StoreStep::Kind::kInstalled);
  EXPECT_EQ(recorder_.steps[0].view->revision(), Revision(2));
}

TEST_F(StoreObserverTest, CanReadEventsThatTheirOwnBatchCompacted) {
  h_.store().Subscribe(&recorder_);
  std::vector<Command> commands(3);
  *commands[0].mutable_put() = PutOf("a", "1");
  *commands[1].mutable_put() = PutOf("a", "2");
  commands[2].mutable_compaction()->set_revision(3);
  h_.ApplyAll(commands);
  h_.executor().RunDue();
  h_.Put("b", "1");
  ASSERT_EQ(recorder_.steps.size(), 2u);
  EXPECT_EQ(recorder_.steps[0].view->compacted(), Revision(3));
  EXPECT_TRUE(HasEvent(recorder_.steps[0], {Revision(2), 0}));
  EXPECT_TRUE(HasEvent(recorder_.steps[0], {Revision(3), 0}));
  EXPECT_FALSE(HasEvent(recorder_.steps[1], {Revision(2), 0})) << "removed meanwhile";
}

TEST_F(StoreObserverTest, HearsWhatBecomesOfLeases) {
  h_.store().Subscribe(&recorder_);
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  ASSERT_TRUE(h_.Checkpoint(7, 10, 1).ok());
  ASSERT_TRUE(h_.Revoke(7).ok());
  h_.Revoke(7).IgnoreError();
  ASSERT_EQ(recorder_.steps.size(), 4u);
  using Kind = LeaseChange::Kind;
  EXPECT_EQ(recorder_.steps[0].leases,
            (std::vector<LeaseChange>{{Kind::kGranted, LeaseId(7), {60, 0}}}));
  EXPECT_EQ(recorder_.steps[1].leases,
            (std::vector<LeaseChange>{{Kind::kCheckpointed, LeaseId(7), {60, 10}}}));
  EXPECT_EQ(recorder_.steps[2].leases,
            (std::vector<LeaseChange>{{Kind::kRevoked, LeaseId(7), {0, 0}}}));
  EXPECT_TRUE(recorder_.steps[3].leases.empty());
}

}  // namespace
}  // namespace pontoon::kv
