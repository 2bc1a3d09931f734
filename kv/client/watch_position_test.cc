#include "kv/client/watch_position.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "kv/errors.h"

namespace pontoon {
namespace {

using etcdserverpb::WatchResponse;

WatchResponse Created(int64_t revision) {
  WatchResponse response;
  response.set_created(true);
  response.mutable_header()->set_revision(revision);
  return response;
}

WatchResponse Events(std::initializer_list<int64_t> revisions) {
  WatchResponse response;
  for (const int64_t revision : revisions) {
    response.add_events()->mutable_kv()->set_mod_revision(revision);
    response.mutable_header()->set_revision(revision);
  }
  return response;
}

WatchResponse Progress(int64_t revision) {
  WatchResponse response;
  response.mutable_header()->set_revision(revision);
  return response;
}

WatchResponse Cancelled(const std::string& reason) {
  WatchResponse response;
  response.set_canceled(true);
  response.set_cancel_reason(reason);
  return response;
}

WatchNews Take(WatchPosition* position, WatchResponse response) {
  return position->Take(&response);
}

TEST(WatchPosition, OfAWatchFromNowOnIsKnownOnceItIsAccepted) {
  WatchPosition position(0);
  EXPECT_EQ(position.next_revision(), 0);
  EXPECT_EQ(Take(&position, Created(41)), WatchNews::kNothing);
  EXPECT_EQ(position.next_revision(), 42);
}

TEST(WatchPosition, OfAWatchFromARevisionStaysThereUntilSomethingCame) {
  WatchPosition position(7);
  EXPECT_EQ(Take(&position, Created(41)), WatchNews::kNothing);
  EXPECT_EQ(position.next_revision(), 7);
}

TEST(WatchPosition, IsAfterTheLastEvent) {
  WatchPosition position(7);
  EXPECT_EQ(Take(&position, Events({7, 9, 9, 12})), WatchNews::kEvents);
  EXPECT_EQ(position.next_revision(), 13);
}

TEST(WatchPosition, IsAfterTheProgress) {
  WatchPosition position(7);
  EXPECT_EQ(Take(&position, Progress(20)), WatchNews::kProgress);
  EXPECT_EQ(position.next_revision(), 21);
  EXPECT_EQ(Take(&position, Progress(15)), WatchNews::kNothing) << "of a member that is behind";
  EXPECT_EQ(position.next_revision(), 21);
}

TEST(WatchPosition, TakesOutWhatWasHadBefore) {
  WatchPosition position(10);
  WatchResponse response = Events({8, 9, 9, 10, 11});
  EXPECT_EQ(position.Take(&response), WatchNews::kEvents);
  ASSERT_EQ(response.events_size(), 2);
  EXPECT_EQ(response.events(0).kv().mod_revision(), 10);
  response = Events({10, 11});
  EXPECT_EQ(position.Take(&response), WatchNews::kNothing);
  EXPECT_EQ(response.events_size(), 0);
  EXPECT_EQ(position.next_revision(), 12);
}

TEST(WatchPosition, KnowsWhyAWatchIsCancelled) {
  WatchPosition position(10);
  WatchResponse compacted = Cancelled("");
  compacted.set_compact_revision(50);
  EXPECT_EQ(Take(&position, compacted), WatchNews::kCompacted);
  EXPECT_EQ(Take(&position, Cancelled(std::string(kv::kErrNoLeader.text))), WatchNews::kLost);
  EXPECT_EQ(Take(&position, Cancelled("rpc error: code = Unauthenticated desc = etcdserver: "
                                      "invalid auth token")),
            WatchNews::kTokenStale);
  EXPECT_EQ(Take(&position, Cancelled(std::string(kv::kErrAuthOldRevision.text))),
            WatchNews::kTokenStale);
  EXPECT_EQ(Take(&position, Cancelled(std::string(kv::kErrUserEmpty.text))),
            WatchNews::kTokenStale);
  EXPECT_EQ(Take(&position, Cancelled("mvcc: watcher range is empty")), WatchNews::kRefused);
  EXPECT_EQ(position.next_revision(), 10);
}

}  // namespace
}  // namespace pontoon
