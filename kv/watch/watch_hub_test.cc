// Which events a watcher hears, of those to come and of the past.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/watch/watch_hub_fixture.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::WatchRequest;
using testing::ElementsAre;
using testing::IsEmpty;

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

}  // namespace
}  // namespace pontoon::kv
