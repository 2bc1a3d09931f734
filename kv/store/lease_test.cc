// Leases in the store: which exist, which keys hang on them, and what ends with them.

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/lease_records.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using storage::v1::Command;

class LeaseTest : public testing::Test {
 protected:
  int64_t PutOn(int64_t lease, const std::string& key) {
    etcdserverpb::PutRequest request = PutOf(key, "v");
    request.set_lease(lease);
    const KvResult result = h_.Apply(request);
    EXPECT_TRUE(result.status.ok()) << result.status;
    return h_.revision();
  }

  // "a b": the keys that hang on a lease.
  std::string KeysOf(int64_t lease) {
    std::vector<std::string> keys;
    const absl::Status listed =
        ForEachAttachedKey(h_.store().View()->records(), LeaseId(lease),
                           [&keys](std::string_view key) { keys.emplace_back(key); });
    EXPECT_TRUE(listed.ok()) << listed;
    return absl::StrJoin(keys, " ");
  }

  // "7:60/0 8:5/3": id, seconds granted and seconds left at the last checkpoint.
  std::string Leases() {
    std::vector<std::string> leases;
    const absl::Status listed = ForEachLease(
        h_.store().View()->records(), [&leases](LeaseId lease, const LeaseState& state) {
          leases.push_back(absl::StrCat(lease.value(), ":", state.granted_ttl_seconds, "/",
                                        state.remaining_ttl_seconds));
        });
    EXPECT_TRUE(listed.ok()) << listed;
    return absl::StrJoin(leases, " ");
  }

  StoreHarness h_;
};

TEST_F(LeaseTest, AGrantIsAnsweredAndMakesNoRevision) {
  h_.Put("k", "v");
  Command command;
  command.mutable_lease_grant()->set_id(7);
  command.mutable_lease_grant()->set_ttl(60);
  const KvResult result = h_.Apply(command);
  const auto& response = std::get<etcdserverpb::LeaseGrantResponse>(result.response);
  EXPECT_EQ(response.id(), 7);
  EXPECT_EQ(response.ttl(), 60);
  EXPECT_EQ(response.header().revision(), 2);
  EXPECT_EQ(h_.revision(), 2);
  EXPECT_EQ(Leases(), "7:60/0");
}

TEST_F(LeaseTest, AGrantCanBeRefused) {
  EXPECT_TRUE(h_.Grant(7, 60).ok());
  EXPECT_TRUE(Is(h_.Grant(7, 5), kErrLeaseExist));
  EXPECT_TRUE(Is(h_.Grant(0, 5), kErrLeaseNotFound));
  EXPECT_TRUE(Is(h_.Grant(8, kLeaseTtlSecondsMax + 1), kErrLeaseTTLTooLarge));
  EXPECT_TRUE(h_.Grant(9, kLeaseTtlSecondsMax).ok());
  EXPECT_TRUE(h_.Grant(-9, 5).ok()) << "as in etcd";
  EXPECT_EQ(Leases(), "7:60/0 9:9000000000/0 -9:5/0");
}

TEST_F(LeaseTest, AKeyHangsOnTheLeaseOfItsLatestPut) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  ASSERT_TRUE(h_.Grant(8, 60).ok());
  PutOn(7, "b");
  PutOn(7, "a");
  PutOn(7, "a");
  EXPECT_EQ(KeysOf(7), "a b");
  PutOn(8, "b");
  EXPECT_EQ(KeysOf(7), "a");
  EXPECT_EQ(KeysOf(8), "b");
  h_.Put("a", "no lease");
  EXPECT_EQ(KeysOf(7), "");
  h_.Delete("b");
  EXPECT_EQ(KeysOf(8), "");
}

TEST_F(LeaseTest, AKeyThatKeepsItsLeaseStaysOnIt) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  PutOn(7, "a");
  etcdserverpb::PutRequest request = PutOf("a", "2");
  request.set_ignore_lease(true);
  EXPECT_TRUE(h_.Apply(request).status.ok());
  EXPECT_EQ(KeysOf(7), "a");
}

TEST_F(LeaseTest, ARevocationDeletesItsKeysInOneRevision) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  ASSERT_TRUE(h_.Grant(8, 60).ok());
  PutOn(7, "b");
  PutOn(7, "a");
  PutOn(8, "c");
  EXPECT_TRUE(h_.Revoke(7).ok());
  EXPECT_EQ(h_.revision(), 5);
  EXPECT_EQ(h_.All(), "c=v");
  EXPECT_EQ(Leases(), "8:60/0");
  EXPECT_EQ(KeysOf(7), "");
  EXPECT_EQ(h_.All(4), "a=v b=v c=v") << "as with any deletion";
}

TEST_F(LeaseTest, ARevocationOfALeaseWithoutKeysMakesNoRevision) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  EXPECT_TRUE(h_.Revoke(7).ok());
  EXPECT_EQ(h_.revision(), 1);
  EXPECT_TRUE(Is(h_.Revoke(7), kErrLeaseNotFound));
}

TEST_F(LeaseTest, ALeaderOfAnotherTermRevokesAndCheckpointsNothing) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  h_.SetTerm(Term(5));
  EXPECT_EQ(h_.Revoke(7, 4).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(h_.Checkpoint(7, 10, 4).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(h_.Checkpoint(7, 10, 0).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Leases(), "7:60/0");
  EXPECT_TRUE(h_.Checkpoint(7, 10, 5).ok());
  EXPECT_EQ(Leases(), "7:60/10");
  EXPECT_TRUE(h_.Revoke(7, 5).ok());
  EXPECT_EQ(Leases(), "");
}

TEST_F(LeaseTest, ACheckpointOfALeaseThatIsGoneChangesNothing) {
  EXPECT_TRUE(h_.Checkpoint(7, 10, 1).ok());
  EXPECT_EQ(Leases(), "");
}

TEST_F(LeaseTest, CommandsOfOneBatchSeeEachOther) {
  std::vector<Command> commands(4);
  commands[0].mutable_lease_grant()->set_id(7);
  commands[0].mutable_lease_grant()->set_ttl(60);
  *commands[1].mutable_put() = PutOf("a", "v");
  commands[1].mutable_put()->set_lease(7);
  commands[2].mutable_lease_revocation()->set_id(7);
  *commands[3].mutable_put() = PutOf("b", "v");
  commands[3].mutable_put()->set_lease(7);
  const std::vector<KvResult> results = h_.ApplyAll(commands);
  EXPECT_TRUE(results[1].status.ok()) << results[1].status;
  EXPECT_TRUE(results[2].status.ok()) << results[2].status;
  EXPECT_TRUE(Is(results[3].status, kErrLeaseNotFound));
  EXPECT_EQ(h_.All(), "");
}

TEST_F(LeaseTest, LeasesSurviveARestartAndASnapshot) {
  ASSERT_TRUE(h_.Grant(7, 60).ok());
  PutOn(7, "a");
  ASSERT_TRUE(h_.Checkpoint(7, 10, 1).ok());
  h_.Reopen();
  EXPECT_EQ(Leases(), "7:60/10");
  EXPECT_EQ(KeysOf(7), "a");

  StoreHarness other;
  other.InstallFrom(&h_);
  const absl::StatusOr<std::optional<LeaseState>> state =
      ReadLease(other.store().View()->records(), LeaseId(7));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(*state, (LeaseState{.granted_ttl_seconds = 60, .remaining_ttl_seconds = 10}));
  EXPECT_TRUE(other.Revoke(7).ok());
  EXPECT_EQ(other.All(), "");
}

}  // namespace
}  // namespace pontoon::kv
