// Clients that are slow, and how watchers are told how far they are.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/watch/recording_outlet.h"
#include "kv/watch/watch_hub_fixture.h"

namespace pontoon::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(WatchHubTest, ASlowClientReadsTheHistoryOnceItHasRoom) {
  Create("key: 'a'");
  Heard();
  outlet_->SetRoom(2);
  for (int i = 0; i < 5; ++i) {
    h_.Put("a", absl::StrCat(i));
    executor_->RunDue();
  }
  EXPECT_EQ(outlet_->waiting(), 2u) << "no more than it has room for";
  EXPECT_EQ(hub_->Stats().slow_watchers, 1);
  EXPECT_THAT(Drain(outlet_.get(), stream_), ElementsAre("0 @2: 2:a=0", "0 @3: 3:a=1"));
  EXPECT_THAT(Heard(), ElementsAre("0 @6: 4:a=2 5:a=3 6:a=4"));
  EXPECT_EQ(hub_->Stats().slow_watchers, 0);
}

TEST_F(WatchHubTest, ASlowClientDoesNotHoldUpAnother) {
  auto slow = std::make_shared<RecordingOutlet>(1);
  const WatchHub::StreamId slow_stream = hub_->Open(slow);
  hub_->Handle(slow_stream, CreateOf("key: 'a'"));
  Create("key: 'a'");
  Heard();
  PutMany(1);
  EXPECT_THAT(Heard(), ElementsAre("0 @2: 2:a=0"));
  EXPECT_EQ(slow->Take(), std::vector<std::string>{"0 created @1"});
  hub_->OnDrained(slow_stream);
  executor_->RunDue();
  EXPECT_EQ(slow->Take(), std::vector<std::string>{"0 @2: 2:a=0"});
}

TEST_F(WatchHubTest, ASlowClientWhoseHistoryIsCompactedIsTold) {
  outlet_->SetRoom(1);
  Create("key: 'a'");
  executor_->RunDue();
  PutMany(3);
  ASSERT_TRUE(h_.Compact(4).ok());
  EXPECT_THAT(Drain(outlet_.get(), stream_), ElementsAre("0 created @1"));
  EXPECT_THAT(Heard(), ElementsAre("0 canceled compacted 4"));
}

TEST_F(WatchHubTest, WhoDoesNotReadAnswersMayNotAskMore) {
  outlet_->SetRoom(1);
  Create("key: 'a'");
  EXPECT_EQ(outlet_->requests_done(), 0);
  Drain(outlet_.get(), stream_);
  EXPECT_EQ(outlet_->requests_done(), 1);
}

TEST_F(WatchHubTest, ProgressIsToldWhenAsked) {
  Ask(RequestOf("progress_request {}"));
  EXPECT_THAT(Heard(), IsEmpty()) << "nobody watches";
  Create("key: 'a'");
  Heard();
  PutMany(1);
  PutMany(1, "b");
  hub_->Handle(stream_, RequestOf("progress_request {}"));
  EXPECT_THAT(Heard(), ElementsAre("0 @3: 2:a=0", "progress @3")) << "after what came before";
}

TEST_F(WatchHubTest, ProgressWaitsForWatchersThatReadTheHistory) {
  options_.turn_revisions_max = 1;
  Begin();
  PutMany(2);
  hub_->Handle(stream_, CreateOf("key: 'a' start_revision: 2"));
  hub_->Handle(stream_, RequestOf("progress_request {}"));
  EXPECT_THAT(Heard(), ElementsAre("0 created @3", "0 @3: 2:a=0", "0 @3: 3:a=1", "progress @3"));
}

TEST_F(WatchHubTest, ProgressOfTheFutureIsNotTold) {
  Create("key: 'a' start_revision: 9");
  Heard();
  Ask(RequestOf("progress_request {}"));
  EXPECT_THAT(Heard(), IsEmpty());
}

TEST_F(WatchHubTest, ProgressIsToldFromTimeToTimeToThoseWhoWantIt) {
  Create("key: 'a' progress_notify: true");
  Create("key: 'a'");
  Heard();
  PutMany(1, "b");
  executor_->RunFor(absl::Minutes(1));
  EXPECT_THAT(Heard(), ElementsAre("0 @2"));
  PutMany(1);
  executor_->RunFor(absl::Minutes(1));
  EXPECT_THAT(Heard(), testing::UnorderedElementsAre("0 @3: 3:a=0", "1 @3: 3:a=0"))
      << "which says it, too";
  executor_->RunFor(absl::Minutes(1));
  EXPECT_THAT(Heard(), ElementsAre("0 @3"));
}

}  // namespace
}  // namespace pontoon::kv
