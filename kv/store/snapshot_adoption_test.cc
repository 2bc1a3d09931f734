#include "kv/store/snapshot_adoption.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/member_records.h"
#include "kv/store/store_harness.h"
#include "raft/base/membership.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::AlarmRequest;

class SnapshotAdoptionTest : public testing::Test {
 protected:
  // An old cluster of one member, with a bit of everything.
  SnapshotAdoptionTest() {
    Membership membership;
    membership.voters = {NodeId(1)};
    EXPECT_TRUE(from_.ApplyMembership(EncodeMembership(membership)).ok());
    storage::v1::Command publication;
    publication.mutable_member_publication()->set_member_id(1);
    publication.mutable_member_publication()->add_client_urls("http://old:2379");
    EXPECT_TRUE(from_.Apply(publication).status.ok());

    from_.Put("a", "1");  // 2
    from_.Put("b", "1");  // 3
    from_.Put("a", "2");  // 4
    EXPECT_TRUE(from_.Compact(3).ok());
    from_.Put("a", "3");  // 5
    EXPECT_TRUE(from_.Grant(77, 600).ok());
    etcdserverpb::PutRequest leased = PutOf("c", "1");
    leased.set_lease(77);
    from_.Apply(leased);  // 6

    AlarmRequest alarm;
    alarm.set_action(AlarmRequest::ACTIVATE);
    alarm.set_alarm(etcdserverpb::NOSPACE);
    alarm.set_memberid(1);
    from_.Alarm(alarm);
  }

  std::string Stream() {
    const auto source = from_.store().OpenSnapshot();
    EXPECT_TRUE(source.ok()) << source.status();
    return ReadAll(source->get());
  }

  // Lets `to_` begin as the old cluster's state, with the stream cut in pieces.
  absl::Status Adopt(std::string_view stream, const AdoptionOptions& options = {},
                     size_t piece = 100) {
    auto sink = to_.store().BeginSnapshot(from_.store().Applied());
    EXPECT_TRUE(sink.ok()) << sink.status();
    SnapshotAdoption adoption(from_.store().Applied(), options, sink->get());
    for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
      if (absl::Status s = adoption.Write(stream.substr(0, piece)); !s.ok()) return s;
    }
    if (absl::Status s = adoption.Finish(); !s.ok()) return s;
    return to_.Install(*std::move(sink));
  }

  StoreHarness from_;
  StoreHarness to_;
};

TEST_F(SnapshotAdoptionTest, KeysTheirHistoryAndLeasesAreTheSame) {
  ASSERT_TRUE(Adopt(Stream()).ok());
  EXPECT_EQ(to_.revision(), 6);
  for (const std::string key : {"a", "b", "c"}) {
    EXPECT_EQ(to_.Describe(key), from_.Describe(key));
  }
  EXPECT_EQ(to_.Get("a", 4), "2");
  EXPECT_EQ(to_.RangeStatus([] {
    etcdserverpb::RangeRequest old = RangeOf("a");
    old.set_revision(2);
    return old;
  }()),
            absl::Status(kErrCompacted));
  EXPECT_TRUE(to_.Revoke(77).ok());
  EXPECT_EQ(to_.Get("c"), "(none)");
}

TEST_F(SnapshotAdoptionTest, MembersAndTheirAlarmsAreLeftBehind) {
  ASSERT_TRUE(Adopt(Stream()).ok());
  EXPECT_FALSE(from_.store().View()->alarms().raised().empty());
  EXPECT_TRUE(to_.store().View()->alarms().raised().empty());
  EXPECT_NE(*from_.store().Membership(), "");
  EXPECT_EQ(*to_.store().Membership(), "");
  EXPECT_TRUE(ReadMember(from_.store().View()->records(), NodeId(1))->has_value());
  EXPECT_FALSE(ReadMember(to_.store().View()->records(), NodeId(1))->has_value());
}

TEST_F(SnapshotAdoptionTest, TheLogGoesOnAfterTheSnapshot) {
  ASSERT_TRUE(Adopt(Stream()).ok());
  EXPECT_EQ(to_.store().Applied(), from_.store().Applied());
  EXPECT_EQ(to_.Put("d", "1"), 7);
  to_.Reopen();
  EXPECT_EQ(to_.Get("d"), "1");
}

TEST_F(SnapshotAdoptionTest, SkipsRevisions) {
  ASSERT_TRUE(Adopt(Stream(), {.revisions_skipped = 1000}).ok());
  EXPECT_EQ(to_.revision(), 1006);
  EXPECT_EQ(to_.Get("a", 4), "2");
  EXPECT_EQ(to_.Get("a", 500), "3");
  EXPECT_EQ(to_.Put("a", "4"), 1007);
}

TEST_F(SnapshotAdoptionTest, CountsEverythingAsCompacted) {
  ASSERT_TRUE(Adopt(Stream(), {.revisions_skipped = 1000, .compacted = true}).ok());
  etcdserverpb::RangeRequest old = RangeOf("a");
  old.set_revision(1005);
  EXPECT_EQ(to_.RangeStatus(old), absl::Status(kErrCompacted));
  EXPECT_EQ(to_.All(), from_.All());
  to_.Reopen();
  EXPECT_EQ(to_.All(), from_.All());
  EXPECT_EQ(to_.RangeStatus(old), absl::Status(kErrCompacted));
}

TEST_F(SnapshotAdoptionTest, OfAClusterThatWasNeverCompacted) {
  StoreHarness from;
  from.Put("a", "1");
  const auto source = from.store().OpenSnapshot();
  auto sink = to_.store().BeginSnapshot(from.store().Applied());
  SnapshotAdoption adoption(from.store().Applied(), {.compacted = true}, sink->get());
  ASSERT_TRUE(adoption.Write(ReadAll(source->get())).ok());
  ASSERT_TRUE(adoption.Finish().ok());
  ASSERT_TRUE(to_.Install(*std::move(sink)).ok());
  EXPECT_EQ(to_.store().View()->compacted(), Revision(2));
  EXPECT_EQ(to_.Get("a"), "1");
}

TEST_F(SnapshotAdoptionTest, RefusesRevisionsThatThereAreNot) {
  for (const int64_t skipped : {int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(Adopt(Stream(), {.revisions_skipped = skipped}).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SnapshotAdoptionTest, ADamagedStreamIsNoState) {
  const std::string good = Stream();
  for (size_t i = 0; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_EQ(Adopt(bad).code(), absl::StatusCode::kDataLoss) << "byte " << i;
  }
  EXPECT_EQ(Adopt(good.substr(0, good.size() - 1)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(to_.revision(), 1) << "and nothing came of it";
}

}  // namespace
}  // namespace pontoon::kv
