// The hub in front of a real store, on an executor that runs when the test says so.

#include "kv/watch/watch_hub.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/store/store_harness.h"
#include "kv/watch/recording_outlet.h"
#include "raft/base/prng.h"
#include "raft/env/testing/manual_time.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchRequest;
using storage::v1::Command;
using testing::ElementsAre;
using testing::IsEmpty;

WatchRequest RequestOf(const std::string& text) {
  WatchRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}
WatchRequest CreateOf(const std::string& text) {
  return RequestOf(absl::StrCat("create_request { ", text, " }"));
}

class WatchHubTest : public testing::Test {
 protected:
  WatchHubTest() {
    options_.progress_interval = absl::Minutes(1);
    Begin();
  }

  void Begin() {
    hub_.reset();
    auto executor = std::make_unique<ManualExecutor>(&clock_);
    executor_ = executor.get();
    hub_ = std::make_unique<WatchHub>(
        &h_.store(), &clock_, options_,
        [this](etcdserverpb::ResponseHeader* header) { header->set_raft_term(term_); },
        [this] { return has_leader_; }, std::move(executor));
    outlet_ = std::make_shared<RecordingOutlet>();
    stream_ = hub_->Open(outlet_);
  }

  void Ask(const WatchRequest& request) {
    hub_->Handle(stream_, request);
    executor_->RunDue();
  }
  void Create(const std::string& text) { Ask(CreateOf(text)); }

  // What has come by now.
  std::vector<std::string> Heard() {
    executor_->RunDue();
    return outlet_->Take();
  }

  // Lets the outlet take what it can.
  std::vector<std::string> Drain(RecordingOutlet* outlet, WatchHub::StreamId stream) {
    executor_->RunDue();
    std::vector<std::string> heard = outlet->Take();
    hub_->OnDrained(stream);
    executor_->RunDue();
    return heard;
  }

  void PutMany(int count, const std::string& key = "a") {
    for (int i = 0; i < count; ++i) h_.Put(key, absl::StrCat(i));
  }

  StoreHarness h_;
  ManualClock clock_;
  WatchHubOptions options_;
  uint64_t term_ = 1;
  bool has_leader_ = true;
  ManualExecutor* executor_ = nullptr;
  std::unique_ptr<WatchHub> hub_;
  std::shared_ptr<RecordingOutlet> outlet_;
  WatchHub::StreamId stream_ = 0;
};

TEST_F(WatchHubTest, AWatcherHearsOfItsKeyFromThenOn) {
  h_.Put("a", "0");
  Create("key: 'a'");
  EXPECT_THAT(Heard(), ElementsAre("0 created @2"));
  h_.Put("a", "1");
  h_.Put("b", "1");
  h_.Delete("a");
  EXPECT_THAT(Heard(), ElementsAre("0 @5: 3:a=1 5:-a")) << "steps that wait are told together";
  h_.Put("a", "2");
  EXPECT_THAT(Heard(), ElementsAre("0 @6: 6:a=2"));
}

TEST_F(WatchHubTest, AWatcherBeginsAfterWhatItsMemberHasApplied) {
  Create("key: 'x'");
  Heard();
  h_.Put("a", "1");
  hub_->Handle(stream_, CreateOf("key: 'a'"));  // before the hub has heard of the put
  EXPECT_THAT(Heard(), ElementsAre("1 created @2"));
  h_.Put("a", "2");
  EXPECT_THAT(Heard(), ElementsAre("1 @3: 3:a=2"));
}

TEST_F(WatchHubTest, EventsAreToldWhole) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  Create("key: 'a'");
  outlet_->TakeResponses();
  etcdserverpb::PutRequest put = PutOf("a", "1");
  put.set_lease(7);
  h_.Apply(put);
  put.set_value("2");
  h_.Apply(put);
  h_.Delete("a");
  executor_->RunDue();
  const auto responses = outlet_->TakeResponses();
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].ShortDebugString(),
            "header { revision: 4 raft_term: 1 } "
            "events { kv { key: \"a\" create_revision: 2 mod_revision: 2 version: 1 value: \"1\" "
            "lease: 7 } } "
            "events { kv { key: \"a\" create_revision: 2 mod_revision: 3 version: 2 value: \"2\" "
            "lease: 7 } } "
            "events { type: DELETE kv { key: \"a\" mod_revision: 4 } }");
}

TEST_F(WatchHubTest, AllOfARevisionComesTogetherAndInOrder) {
  Create("key: 'a' range_end: 'z'");
  Heard();
  etcdserverpb::TxnRequest txn;
  *txn.add_success() = Op(PutOf("c", "1"));
  *txn.add_success() = Op(PutOf("a", "1"));
  *txn.add_success() = Op(PutOf("z", "1"));
  *txn.add_success() = Op(DeleteOf("q"));
  h_.Txn(txn);
  EXPECT_THAT(Heard(), ElementsAre("0 @2: 2:c=1 a=1"));
}

TEST_F(WatchHubTest, HistoryIsTold) {
  PutMany(3);
  Create("key: 'a' start_revision: 3");
  EXPECT_THAT(Heard(), ElementsAre("0 created @4", "0 @4: 3:a=1 4:a=2"));
  h_.Put("a", "new");
  EXPECT_THAT(Heard(), ElementsAre("0 @5: 5:a=new"));
}

TEST_F(WatchHubTest, HistoryComesInTurnsOfBoundedSize) {
  options_.turn_revisions_max = 2;
  Begin();
  PutMany(5);
  Create("key: 'a' start_revision: 2");
  EXPECT_THAT(Heard(),
              ElementsAre("0 created @6", "0 @6: 2:a=0 3:a=1", "0 @6: 4:a=2 5:a=3", "0 @6: 6:a=4"));
  options_.turn_revisions_max = 1000;
  options_.turn_bytes_max = 4;  // two events
  Begin();
  Create("key: 'a' start_revision: 2");
  EXPECT_THAT(Heard(),
              ElementsAre("0 created @6", "0 @6: 2:a=0 3:a=1", "0 @6: 4:a=2 5:a=3", "0 @6: 6:a=4"));
}

TEST_F(WatchHubTest, ThoseWhoReadTheHistoryDoNotHoldUpTheOthers) {
  options_.turn_revisions_max = 1;
  Begin();
  PutMany(4);
  Create("key: 'b'");
  Heard();
  hub_->Handle(stream_, CreateOf("key: 'a' start_revision: 2"));
  executor_->RunOne();  // the creation
  h_.Put("b", "now");
  executor_->RunOne();  // one turn
  EXPECT_THAT(outlet_->Take(), ElementsAre("1 created @5", "0 @6: 6:b=now", "1 @6: 2:a=0"));
  EXPECT_THAT(Heard(), ElementsAre("1 @6: 3:a=1", "1 @6: 4:a=2", "1 @6: 5:a=3"));
}

TEST_F(WatchHubTest, WatchersThatReadTogetherEachGetTheirOwn) {
  options_.turn_watchers_max = 2;
  Begin();
  PutMany(3);
  h_.Put("b", "1");
  hub_->Handle(stream_, CreateOf("key: 'a' start_revision: 2"));
  hub_->Handle(stream_, CreateOf("key: 'a' start_revision: 4"));
  hub_->Handle(stream_, CreateOf("key: 'b' start_revision: 3"));
  EXPECT_THAT(Heard(), testing::UnorderedElementsAre("0 created @5", "1 created @5", "2 created @5",
                                                     "0 @5: 2:a=0 3:a=1 4:a=2", "1 @5: 4:a=2",
                                                     "2 @5: 5:b=1"));
}

TEST_F(WatchHubTest, AWatcherOfTheFutureWaits) {
  Create("key: 'a' start_revision: 4");
  EXPECT_THAT(Heard(), ElementsAre("0 created @1"));
  PutMany(2);
  EXPECT_THAT(Heard(), IsEmpty());
  PutMany(2);
  EXPECT_THAT(Heard(), ElementsAre("0 @5: 4:a=0 5:a=1"));
}

TEST_F(WatchHubTest, WhatWasBeforeIsToldToThoseWhoWantIt) {
  Create("key: 'a' prev_kv: true");
  Create("key: 'a'");
  Heard();
  PutMany(2);
  h_.Delete("a");
  h_.Put("a", "new");
  EXPECT_THAT(Heard(), testing::UnorderedElementsAre("0 @5: 2:a=0 3:a=1(was 0) 4:-a(was 1) 5:a=new",
                                                     "1 @5: 2:a=0 3:a=1 4:-a 5:a=new"));
}

TEST_F(WatchHubTest, WhatWasBeforeIsLeftOutIfItIsCompacted) {
  PutMany(3);
  ASSERT_TRUE(h_.Compact(3).ok());
  Create("key: 'a' prev_kv: true start_revision: 3");
  EXPECT_THAT(Heard(), ElementsAre("0 created @4", "0 @4: 3:a=1 4:a=2(was 1)"));
}

TEST_F(WatchHubTest, FiltersLeaveOut) {
  Create("key: 'a' filters: NOPUT");
  Create("key: 'a' filters: NODELETE");
  Create("key: 'a' filters: NOPUT filters: NODELETE");
  Heard();
  h_.Put("a", "1");
  h_.Delete("a");
  EXPECT_THAT(Heard(), ElementsAre("1 @3: 2:a=1", "0 @3: 3:-a"));
}

TEST_F(WatchHubTest, IdsAreGivenOrTaken) {
  Create("key: 'a'");
  Create("key: 'a' watch_id: 1");
  Create("key: 'a'");
  Create("key: 'a' watch_id: 1");
  Create("key: 'a' watch_id: -5");
  EXPECT_THAT(Heard(), ElementsAre("0 created @1", "1 created @1", "2 created @1",
                                   "-1 created canceled: mvcc: duplicate watch ID provided on the "
                                   "WatchStream",
                                   "-5 created @1"));
  EXPECT_EQ(hub_->Stats().watchers, 4);
}

TEST_F(WatchHubTest, WhatMakesNoSenseIsRefused) {
  h_.Put("a", "1");
  Create("key: 'b' range_end: 'a'");
  Create("key: 'b' range_end: 'b'");
  Create("key: 'b' start_revision: -1");
  const std::string empty = "-1 created canceled: mvcc: watcher range is empty";
  EXPECT_THAT(Heard(),
              ElementsAre(empty, empty, absl::StrCat("-1 created canceled: ", kErrCompacted.text)));
  EXPECT_EQ(hub_->Stats().watchers, 0);
  Ask(WatchRequest());
  EXPECT_THAT(Heard(), IsEmpty());
  EXPECT_EQ(outlet_->requests_done(), 4);
}

TEST_F(WatchHubTest, AnEmptyKeyIsTheFirstKey) {
  Create("");
  Create("range_end: '\\000'");
  Heard();
  h_.Put(Zero(), "1");
  h_.Put("a", "2");
  EXPECT_THAT(Heard(), testing::UnorderedElementsAre(absl::StrCat("0 @3: 2:", Zero(), "=1"),
                                                     absl::StrCat("1 @3: 2:", Zero(), "=1 3:a=2")));
}

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

TEST_F(WatchHubTest, ALargeRevisionComesInPartsForThoseWhoTakeThem) {
  options_.fragment_bytes_max = 130;
  Begin();
  Create("key: 'a' range_end: 'z' fragment: true");
  Create("key: 'a' range_end: 'z'");
  Heard();
  etcdserverpb::TxnRequest txn;
  for (const char* key : {"a", "b", "c"}) *txn.add_success() = Op(PutOf(key, std::string(40, 'v')));
  *txn.add_success() = Op(PutOf("d", std::string(400, 'v')));
  h_.Txn(txn);
  executor_->RunDue();
  std::vector<std::string> shape;
  for (const auto& response : outlet_->TakeResponses()) {
    shape.push_back(absl::StrCat(response.watch_id(), ":", response.events_size(),
                                 response.fragment() ? "+" : ""));
  }
  std::sort(shape.begin(), shape.end());
  EXPECT_THAT(shape, ElementsAre("0:1", "0:1+", "0:2+", "1:4"));
}

TEST_F(WatchHubTest, HeadersCarryTheTermOfTheMoment) {
  Create("key: 'a'");
  Heard();
  term_ = 5;
  PutMany(1);
  executor_->RunDue();
  EXPECT_EQ(outlet_->TakeResponses().at(0).header().raft_term(), 5u);
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

// Random watchers of few keys, on streams that are now and then slow, beside random writes and
// compactions: each watcher must have heard, when everything has come to rest, exactly the events
// of its keys from where it began, in order, whole revisions at a time; unless it was told that
// they are compacted.
class WatchContractTest : public WatchHubTest, public testing::WithParamInterface<uint64_t> {};

struct Expected {
  int64_t start = 0;
  std::string key, range_end;
  int64_t last = 0;      // revision heard
  int64_t promised = 0;  // up to which it was told that everything has come
  std::vector<std::string> events;
  bool created = false, canceled = false;
};

TEST_P(WatchContractTest, EveryWatcherHearsEverythingOnceInOrder) {
  Prng prng(GetParam());
  options_.turn_revisions_max = 1 + prng.Below(4);
  options_.turn_watchers_max = 1 + prng.Below(3);
  Begin();
  struct Client {
    std::shared_ptr<RecordingOutlet> outlet;
    WatchHub::StreamId stream;
    std::map<int64_t, Expected> watchers;
  };
  std::vector<Client> clients(3);
  for (Client& client : clients) {
    client.outlet = std::make_shared<RecordingOutlet>(1 + prng.Below(4));
    client.stream = hub_->Open(client.outlet);
  }
  std::vector<std::pair<int64_t, std::pair<std::string, std::string>>> history;  // revision, key
  int64_t compacted = 0, next_id = 1;
  const auto letter = [&prng] { return std::string(1, static_cast<char>('a' + prng.Below(4))); };

  const auto read = [&](Client* client) {
    for (const auto& response : client->outlet->TakeResponses()) {
      if (response.watch_id() == -1) {
        for (auto& [id, watcher] : client->watchers) {
          if (watcher.created) watcher.promised = response.header().revision();
        }
        continue;
      }
      Expected& watcher = client->watchers.at(response.watch_id());
      if (response.created()) watcher.created = true;
      ASSERT_TRUE(watcher.created);
      ASSERT_FALSE(watcher.canceled) << "nothing comes after the end";
      if (response.canceled()) {
        watcher.canceled = true;
        ASSERT_GT(response.compact_revision(), std::max(watcher.start, watcher.last));
        continue;
      }
      for (const auto& event : response.events()) {
        const int64_t revision = event.kv().mod_revision();
        ASSERT_GE(revision, watcher.last);
        ASSERT_GT(revision, watcher.promised) << "an event after its progress";
        ASSERT_LE(revision, response.header().revision());
        watcher.last = revision;
        watcher.events.push_back(absl::StrCat(revision, event.kv().key(), event.kv().value()));
      }
      // A revision is never continued in another response.
      if (response.events_size() > 0) watcher.promised = watcher.last;
    }
    hub_->OnDrained(client->stream);
  };

  for (int step = 0; step < 400; ++step) {
    Client& client = clients[prng.Below(clients.size())];
    switch (prng.Below(8)) {
      case 0: {
        const int64_t id = next_id++;
        Expected watcher;
        watcher.key = letter();
        if (prng.Below(2) == 0) watcher.range_end = std::string(1, watcher.key[0] + 2);
        WatchRequest request;
        auto* const create = request.mutable_create_request();
        create->set_key(watcher.key);
        create->set_range_end(watcher.range_end);
        create->set_watch_id(id);
        if (prng.Below(2) == 0) {
          watcher.start =
              std::max<int64_t>(1, h_.revision() + 3 - static_cast<int64_t>(prng.Below(20)));
          create->set_start_revision(watcher.start);
        } else {
          watcher.start = h_.revision() + 1;
        }
        client.watchers.emplace(id, watcher);
        hub_->Handle(client.stream, std::move(request));
        if (create->start_revision() == 0) executor_->RunDue();  // it begins now
        break;
      }
      case 1:
        read(&client);
        break;
      case 2:
        executor_->RunOne();
        break;
      case 3:
        hub_->Handle(client.stream, RequestOf("progress_request {}"));
        break;
      case 4:
        if (prng.Below(4) == 0 && h_.revision() > compacted + 6) {
          compacted = h_.revision() - static_cast<int64_t>(prng.Below(6));
          ASSERT_TRUE(h_.Compact(compacted).ok());
          h_.executor().RunDue();
        }
        break;
      default: {
        etcdserverpb::TxnRequest txn;
        for (const char* key : {"a", "b", "c", "d", "e"}) {
          if (prng.Below(3) == 0) *txn.add_success() = Op(PutOf(key, absl::StrCat(step)));
        }
        if (txn.success_size() == 0) break;
        const int64_t revision = h_.Txn(txn).header().revision();
        for (const auto& op : txn.success()) {
          history.push_back({revision, {op.request_put().key(), op.request_put().value()}});
        }
      }
    }
    if (HasFatalFailure()) return;
  }
  for (int i = 0; i < 2000; ++i) {  // until everybody has room and time
    executor_->RunDue();
    for (Client& client : clients) {
      read(&client);
      if (HasFatalFailure()) return;
    }
  }

  int whole = 0, canceled = 0;
  for (const Client& client : clients) {
    for (const auto& [id, watcher] : client.watchers) {
      std::vector<std::string> expected;
      for (const auto& [revision, change] : history) {
        const auto& [key, value] = change;
        const bool its_key = watcher.range_end.empty()
                                 ? key == watcher.key
                                 : key >= watcher.key && key < watcher.range_end;
        if (revision >= watcher.start && its_key) {
          expected.push_back(absl::StrCat(revision, key, value));
        }
      }
      if (watcher.canceled) {
        ++canceled;
        ASSERT_LE(watcher.events.size(), expected.size());
        expected.resize(watcher.events.size());
      } else {
        ++whole;
      }
      EXPECT_EQ(watcher.events, expected) << "watcher " << id << " from " << watcher.start;
    }
  }
  EXPECT_GT(whole + canceled, 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WatchContractTest, testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace pontoon::kv
