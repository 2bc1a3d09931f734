#include "kv/read/revision_waiter.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kv/errors.h"
#include "kv/store/store_harness.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

class RevisionWaiterTest : public testing::Test {
 protected:
  RevisionWaiterTest() {
    auto executor = std::make_unique<ManualExecutor>(&clock_);
    executor_ = executor.get();
    waiter_ = std::make_unique<RevisionWaiter>(&h_.store(), &clock_, std::move(executor));
  }

  // What became of waiting; nothing yet if it goes on.
  using Outcome = std::shared_ptr<std::optional<absl::Status>>;
  Outcome Await(int64_t revision, absl::Duration patience = absl::Seconds(1)) {
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    waiter_->Await(Revision(revision), clock_.Now() + patience,
                   [outcome](absl::Status reached) { *outcome = std::move(reached); });
    return outcome;
  }

  ManualClock clock_;
  StoreHarness h_;
  ManualExecutor* executor_ = nullptr;
  std::unique_ptr<RevisionWaiter> waiter_;
};

TEST_F(RevisionWaiterTest, WhatIsThereIsNotWaitedFor) {
  const int64_t revision = h_.Put("a", "1");
  EXPECT_EQ(**Await(revision), absl::OkStatus());
  EXPECT_EQ(**Await(1), absl::OkStatus());
}

TEST_F(RevisionWaiterTest, WhoWaitsHearsWhenTheStoreIsThereAndNotBefore) {
  const int64_t revision = h_.Put("a", "1");
  const Outcome next = Await(revision + 1);
  const Outcome second = Await(revision + 2);
  executor_->RunDue();
  EXPECT_FALSE(next->has_value());
  h_.Put("a", "2");
  executor_->RunDue();
  EXPECT_EQ(*next, absl::OkStatus());
  EXPECT_FALSE(second->has_value());
  h_.Put("a", "3");
  executor_->RunDue();
  EXPECT_EQ(*second, absl::OkStatus());
}

TEST_F(RevisionWaiterTest, WhoWaitsInVainHearsHowFarTheStoreIs) {
  const int64_t revision = h_.Put("a", "1");
  const Outcome outcome = Await(revision + 5, absl::Milliseconds(100));
  executor_->RunFor(absl::Milliseconds(99));
  EXPECT_FALSE(outcome->has_value());
  executor_->RunFor(RevisionWaiter::kLookInterval + absl::Milliseconds(1));
  ASSERT_TRUE(outcome->has_value());
  EXPECT_EQ(**outcome, absl::UnavailableError("pontoon: this member has come to revision " +
                                              std::to_string(revision) + ", and revision " +
                                              std::to_string(revision + 5) + " was asked for"));
}

TEST_F(RevisionWaiterTest, NobodyWaitsAfterTheEnd) {
  const Outcome before = Await(100);
  waiter_->Stop();
  executor_->RunDue();
  ASSERT_TRUE(before->has_value());
  EXPECT_TRUE(Is(**before, kErrStopped));
  const Outcome after = Await(100);
  executor_->RunDue();
  ASSERT_TRUE(after->has_value());
  EXPECT_TRUE(Is(**after, kErrStopped));
}

TEST_F(RevisionWaiterTest, WhoWaitsIsBounded) {
  for (size_t i = 0; i < RevisionWaiter::kWaitingMax; ++i) Await(100);
  const Outcome refused = Await(100);
  ASSERT_TRUE(refused->has_value());
  EXPECT_TRUE(Is(**refused, kErrRequestTooManyRequests));
  executor_->RunFor(absl::Seconds(2));  // the others give up
  EXPECT_FALSE(Await(100)->has_value());
}

}  // namespace
}  // namespace pontoon::kv
