// How watchers and streams end, and what a compaction or an installed state takes from them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "kv/errors.h"
#include "kv/watch/recording_outlet.h"
#include "kv/watch/watch_hub_fixture.h"

namespace pontoon::kv {
namespace {

using storage::v1::Command;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(WatchHubTest, ACancelledWatcherHearsNoMore) {
  Create("key: 'a'");
  Create("key: 'a'");
  Ask(RequestOf("cancel_request { watch_id: 0 }"));
  Ask(RequestOf("cancel_request { watch_id: 7 }"));
  EXPECT_THAT(Heard(), ElementsAre("0 created @1", "1 created @1", "0 canceled"));
  h_.Put("a", "1");
  EXPECT_THAT(Heard(), ElementsAre("1 @2: 2:a=1"));
  Ask(RequestOf("cancel_request { watch_id: 0 }"));
  EXPECT_THAT(Heard(), IsEmpty());
}

TEST_F(WatchHubTest, ACancellationIsAnsweredWithThePresentRevision) {
  Create("key: 'a'");
  Heard();
  hub_->Handle(stream_, RequestOf("cancel_request { watch_id: 0 }"));
  h_.Put("b", "1");  // which the hub has heard of, and not looked at, when it answers
  executor_->RunDue();
  const auto heard = outlet_->TakeResponses();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(heard[0].canceled());
  EXPECT_EQ(heard[0].header().revision(), 2);
}

TEST_F(WatchHubTest, SoIsThatOfTheLastWatcherThatWasLost) {
  PutMany(4);
  ASSERT_TRUE(h_.Compact(4).ok());
  Create("key: 'a' start_revision: 2");
  Heard();
  EXPECT_EQ(hub_->Stats().watchers, 0);
  h_.Put("b", "1");
  Ask(RequestOf("cancel_request { watch_id: 0 }"));
  const auto heard = outlet_->TakeResponses();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(heard[0].canceled());
  EXPECT_EQ(heard[0].header().revision(), 6);
}

TEST_F(WatchHubTest, ABeginningThatIsCompactedEndsTheWatcher) {
  PutMany(4);
  ASSERT_TRUE(h_.Compact(4).ok());
  Create("key: 'a' start_revision: 3");
  Create("key: 'a' start_revision: 4");
  EXPECT_THAT(Heard(), ElementsAre("0 created @5", "0 canceled compacted 4", "1 created @5",
                                   "1 @5: 4:a=2 5:a=3"));
  EXPECT_EQ(hub_->Stats().watchers, 1);
}

TEST_F(WatchHubTest, TheIdOfALostWatcherIsTakenUntilItIsCancelled) {
  PutMany(4);
  ASSERT_TRUE(h_.Compact(4).ok());
  Create("key: 'a' start_revision: 2");
  Create("key: 'a' watch_id: 0");
  EXPECT_THAT(Heard(), ElementsAre("0 created @5", "0 canceled compacted 4", "1 created @5"));
  Create("key: 'a' start_revision: 2 watch_id: 7");
  Create("key: 'a' watch_id: 7");
  Ask(RequestOf("cancel_request { watch_id: 7 }"));
  Ask(RequestOf("cancel_request { watch_id: 7 }"));
  Create("key: 'a' watch_id: 7");
  EXPECT_THAT(Heard(), ElementsAre("7 created @5", "7 canceled compacted 4",
                                   "-1 created canceled: mvcc: duplicate watch ID provided on the "
                                   "WatchStream",
                                   "7 canceled", "7 created @5"));
}

TEST_F(WatchHubTest, ACompactionTakesNothingFromThoseWhoAreUpToDate) {
  Create("key: 'a'");
  Heard();
  std::vector<Command> commands(3);
  *commands[0].mutable_put() = PutOf("a", "1");
  *commands[1].mutable_put() = PutOf("a", "2");
  commands[2].mutable_compaction()->set_revision(3);
  h_.ApplyAll(commands);
  h_.executor().RunDue();  // removes what is compacted
  h_.Put("a", "3");        // a later step must not stand in for that one
  EXPECT_THAT(Heard(), ElementsAre("0 @3: 2:a=1 3:a=2", "0 @4: 4:a=3"));
}

TEST_F(WatchHubTest, AnInstalledStateHasTheEventsSinceItsCompaction) {
  StoreHarness other;
  for (StoreHarness* h : {&h_, &other}) h->Put("a", "1");
  Create("key: 'a'");
  Heard();
  other.Put("a", "2");
  other.Put("a", "3");
  ASSERT_TRUE(other.Compact(3).ok());
  h_.InstallFrom(&other);
  EXPECT_THAT(Heard(), ElementsAre("0 @4: 3:a=2 4:a=3"));
}

TEST_F(WatchHubTest, AnInstalledStateWithAGapEndsWatchersThatNeedIt) {
  StoreHarness other;
  for (StoreHarness* h : {&h_, &other}) h->Put("a", "1");
  Create("key: 'a'");
  Create("key: 'a' start_revision: 5");
  Heard();
  for (const char* value : {"2", "3", "4"}) other.Put("a", value);
  ASSERT_TRUE(other.Compact(4).ok());
  h_.InstallFrom(&other);
  EXPECT_THAT(Heard(), ElementsAre("0 canceled compacted 4", "1 @5: 5:a=4"));
}

TEST_F(WatchHubTest, AClosedStreamIsForgotten) {
  Create("key: 'a'");
  Create("key: 'a' start_revision: 9");
  EXPECT_EQ(hub_->Stats().watchers, 2);
  EXPECT_EQ(hub_->Stats().streams, 1);
  hub_->Close(stream_);
  Heard();
  EXPECT_EQ(hub_->Stats().watchers, 0);
  EXPECT_EQ(hub_->Stats().streams, 0);
  PutMany(1);
  EXPECT_THAT(Heard(), IsEmpty());
}

TEST_F(WatchHubTest, AStreamThatNeedsALeaderEndsWithoutOne) {
  auto demanding = std::make_shared<RecordingOutlet>();
  hub_->Open(demanding, WatchHub::Demand::kLeader);
  has_leader_ = false;
  executor_->RunFor(2 * options_.leader_look_interval);
  has_leader_ = true;  // in time
  executor_->RunFor(2 * options_.leader_look_interval);
  has_leader_ = false;
  executor_->RunFor(2 * options_.leader_look_interval);
  EXPECT_TRUE(demanding->ended().ok());
  executor_->RunFor(options_.leader_look_interval);
  EXPECT_EQ(demanding->ended(), absl::Status(kErrNoLeader));
  EXPECT_TRUE(outlet_->ended().ok()) << "which needs none";
  EXPECT_EQ(hub_->Stats().streams, 1);
}

TEST_F(WatchHubTest, AllStreamsEndTogether) {
  Create("key: 'a'");
  hub_->EndAll(kErrStopped);
  executor_->RunDue();
  EXPECT_EQ(outlet_->ended(), absl::Status(kErrStopped));
  auto late = std::make_shared<RecordingOutlet>();
  hub_->Open(late);
  executor_->RunDue();
  EXPECT_EQ(late->ended(), absl::Status(kErrStopped));
}

TEST_F(WatchHubTest, StreamsCanEndWithoutAnEndToOthers) {
  Create("key: 'a'");
  hub_->EndOpen(kErrCorrupt);
  executor_->RunDue();
  EXPECT_EQ(outlet_->ended(), absl::Status(kErrCorrupt));
  outlet_ = std::make_shared<RecordingOutlet>();
  stream_ = hub_->Open(outlet_);
  Create("key: 'a'");
  EXPECT_THAT(Heard(), ElementsAre("0 created @1"));
}

TEST_F(WatchHubTest, NobodyWatchingCostsNothing) {
  PutMany(1);
  Heard();
  Create("key: 'a'");
  Ask(RequestOf("cancel_request { watch_id: 0 }"));
  Heard();
  PutMany(1);
  EXPECT_FALSE(executor_->RunOne()) << "a step without watchers wakes nobody";
  Create("key: 'a' start_revision: 2");
  EXPECT_THAT(Heard(), ElementsAre("1 created @3", "1 @3: 2:a=0 3:a=0"));
}

}  // namespace
}  // namespace pontoon::kv
