// Commands, one by one: what they change and what they answer. Names follow the rules of the API.

#include "kv/store/kv_store.h"

#include <atomic>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using ::etcdserverpb::CompactionResponse;
using ::etcdserverpb::DeleteRangeRequest;
using ::etcdserverpb::DeleteRangeResponse;
using ::etcdserverpb::PutRequest;
using ::etcdserverpb::PutResponse;
using storage::v1::Command;

class KvStoreTest : public testing::Test {
 protected:
  PutResponse Put(const PutRequest& request) {
    KvResult result = h_.Apply(request);
    EXPECT_TRUE(result.status.ok()) << result.status;
    return std::get<PutResponse>(result.response);
  }

  // The error of a refused put, which must not have changed anything.
  absl::Status Refused(const PutRequest& request) {
    int64_t before = h_.revision();
    KvResult result = h_.Apply(request);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(result.response));
    EXPECT_EQ(h_.revision(), before);
    return result.status;
  }

  PutRequest PutWithLease(const std::string& key, const std::string& value, int64_t lease) {
    PutRequest request = PutOf(key, value);
    request.set_lease(lease);
    return request;
  }

  DeleteRangeResponse Delete(const DeleteRangeRequest& request) {
    return std::get<DeleteRangeResponse>(h_.Apply(request).response);
  }

  StoreHarness h_;
};

TEST_F(KvStoreTest, AFreshStoreIsAtRevisionOne) {
  EXPECT_EQ(h_.revision(), 1);
  EXPECT_EQ(h_.All(), "");
  EXPECT_EQ(h_.store().Applied(), LogPosition());
  EXPECT_EQ(h_.store().View()->compacted(), kNeverCompacted);
}

TEST_F(KvStoreTest, EveryPutMakesOneRevision) {
  EXPECT_EQ(h_.Put("a", "1"), 2);
  EXPECT_EQ(h_.Put("b", "1"), 3);
  EXPECT_EQ(h_.Put("a", "1"), 4) << "the same value is a change as well";
  EXPECT_EQ(h_.revision(), 4);
}

TEST_F(KvStoreTest, PutSetsRevisionsAndVersion) {
  h_.Put("a", "1");
  EXPECT_EQ(h_.Describe("a"), "2/2/1/0 1");
  h_.Put("a", "2");
  h_.Put("a", "3");
  EXPECT_EQ(h_.Describe("a"), "2/4/3/0 3");
  h_.Delete("a");
  EXPECT_EQ(h_.Describe("a"), "(none)");
  h_.Put("a", "4");
  EXPECT_EQ(h_.Describe("a"), "6/6/1/0 4") << "a delete begins a new life";
}

TEST_F(KvStoreTest, PutGivesThePreviousState) {
  PutRequest request = PutOf("a", "1");
  request.set_prev_kv(true);
  EXPECT_FALSE(Put(request).has_prev_kv());
  request.set_value("2");
  PutResponse response = Put(request);
  EXPECT_EQ(response.prev_kv().key(), "a");
  EXPECT_EQ(response.prev_kv().value(), "1");
  EXPECT_EQ(response.prev_kv().mod_revision(), 2);
  EXPECT_EQ(response.header().revision(), 3);
  request.set_prev_kv(false);
  EXPECT_FALSE(Put(request).has_prev_kv());
}

TEST_F(KvStoreTest, IgnoreValueKeepsTheValue) {
  EXPECT_TRUE(h_.Grant(7, 60).ok());
  PutRequest request = PutWithLease("a", "", 7);
  request.set_ignore_value(true);
  EXPECT_TRUE(Is(Refused(request), kErrKeyNotFound));
  h_.Put("a", "kept");
  Put(request);
  EXPECT_EQ(h_.Describe("a"), "2/3/2/7 kept");
  request.set_value("other");
  EXPECT_TRUE(Is(Refused(request), kErrValueProvided));
}

TEST_F(KvStoreTest, IgnoreLeaseKeepsTheLease) {
  EXPECT_TRUE(h_.Grant(7, 60).ok());
  PutRequest request = PutOf("a", "2");
  request.set_ignore_lease(true);
  EXPECT_TRUE(Is(Refused(request), kErrKeyNotFound));
  Put(PutWithLease("a", "1", 7));
  Put(request);
  EXPECT_EQ(h_.Describe("a"), "2/3/2/7 2");
  request.set_lease(7);
  EXPECT_TRUE(Is(Refused(request), kErrLeaseProvided));
}

TEST_F(KvStoreTest, ALeaseMustExist) {
  EXPECT_TRUE(h_.Grant(7, 60).ok());
  EXPECT_TRUE(Is(Refused(PutWithLease("a", "1", 8)), kErrLeaseNotFound));
  EXPECT_TRUE(Is(Refused(PutWithLease("a", "1", -7)), kErrLeaseNotFound));
  EXPECT_EQ(h_.Get("a"), "(none)");
}

TEST_F(KvStoreTest, APutWithoutLeaseDetachesTheKey) {
  EXPECT_TRUE(h_.Grant(7, 60).ok());
  Put(PutWithLease("a", "1", 7));
  EXPECT_EQ(h_.Describe("a"), "2/2/1/7 1");
  h_.Put("a", "2");
  EXPECT_EQ(h_.Describe("a"), "2/3/2/0 2");
  EXPECT_EQ(h_.Describe("a", 2), "2/2/1/7 1");
}

TEST_F(KvStoreTest, DeleteRangeMakesOneRevisionForAllItsKeys) {
  for (const char* key : {"a", "b", "c", "d"}) h_.Put(key, "x");
  DeleteRangeResponse response = Delete(DeleteOf("a", "c"));
  EXPECT_EQ(response.deleted(), 2);
  EXPECT_EQ(response.header().revision(), 6);
  EXPECT_EQ(response.prev_kvs_size(), 0);
  EXPECT_EQ(h_.All(), "c=x d=x");
  EXPECT_EQ(h_.All(5), "a=x b=x c=x d=x");
}

TEST_F(KvStoreTest, DeletingNothingMakesNoRevision) {
  h_.Put("a", "1");
  DeleteRangeResponse response = Delete(DeleteOf("b", "z"));
  EXPECT_EQ(response.deleted(), 0);
  EXPECT_EQ(response.header().revision(), 2);
  EXPECT_EQ(h_.revision(), 2);
  EXPECT_EQ(Delete(DeleteOf("b", "a")).deleted(), 0) << "an empty interval";
}

TEST_F(KvStoreTest, DeleteRangeGivesWhatItDeleted) {
  h_.Put("a", "1");
  h_.Put("b", "2");
  h_.Put("b", "3");
  DeleteRangeRequest request = DeleteOf("a", Zero());
  request.set_prev_kv(true);
  DeleteRangeResponse response = Delete(request);
  ASSERT_EQ(response.prev_kvs_size(), 2);
  EXPECT_EQ(response.prev_kvs(0).key(), "a");
  EXPECT_EQ(response.prev_kvs(1).value(), "3");
  EXPECT_EQ(response.prev_kvs(1).version(), 2);
}

TEST_F(KvStoreTest, CompactionForgetsWhatIsBeforeIt) {
  h_.Put("a", "1");
  h_.Put("a", "2");
  h_.Put("a", "3");  // 4
  Command command;
  command.mutable_compaction()->set_revision(3);
  KvResult result = h_.Apply(command);
  ASSERT_TRUE(result.status.ok());
  EXPECT_EQ(std::get<CompactionResponse>(result.response).header().revision(), 4);
  EXPECT_EQ(h_.All(2), kErrCompacted.text);
  EXPECT_EQ(h_.All(3), "a=2");
  EXPECT_EQ(h_.All(), "a=3");
  EXPECT_EQ(h_.revision(), 4) << "a compaction is no change";
}

TEST_F(KvStoreTest, CompactionGoesForwardAndNotBeyondTheEnd) {
  EXPECT_TRUE(Is(h_.Compact(-1), kErrCompacted));
  EXPECT_TRUE(h_.Compact(0).ok()) << "as in etcd";
  EXPECT_TRUE(Is(h_.Compact(0), kErrCompacted));
  EXPECT_TRUE(Is(h_.Compact(2), kErrFutureRev));
  h_.Put("a", "1");
  EXPECT_TRUE(h_.Compact(2).ok());
  EXPECT_TRUE(Is(h_.Compact(2), kErrCompacted));
  EXPECT_TRUE(Is(h_.Compact(1), kErrCompacted));
  EXPECT_EQ(h_.All(), "a=1");
}

TEST_F(KvStoreTest, RefusedCommandsAreAppliedAllTheSame) {
  EXPECT_FALSE(h_.Compact(9).ok());
  EXPECT_EQ(h_.store().Applied(), (LogPosition{LogIndex(1), Term(1)}));
  EXPECT_EQ(h_.store().View()->applied(), h_.store().Applied());
}

TEST_F(KvStoreTest, EntriesWithoutACommandMoveAppliedOnly) {
  std::vector<ApplyItem> items(1);
  items[0].entry.index = LogIndex(1);
  items[0].entry.term = Term(3);
  items[0].wants_result = true;
  ASSERT_TRUE(h_.store().Apply(items).ok());
  EXPECT_EQ(items[0].result, nullptr);
  EXPECT_EQ(h_.store().Applied(), (LogPosition{LogIndex(1), Term(3)}));
  EXPECT_EQ(h_.revision(), 1);
}

TEST_F(KvStoreTest, NonsenseIsRefusedAndChangesNothing) {
  Command truncated;
  *truncated.mutable_put() = PutOf("key", "value");
  std::string bytes = truncated.SerializeAsString();
  for (const std::string& payload :
       {std::string(), std::string("\xff\xff\xff"), bytes.substr(0, bytes.size() - 1),
        std::string("\x7a\x00", 2), std::string(1000, '\x0b')}) {
    KvResult result = h_.ApplyPayload(payload);
    EXPECT_EQ(result.status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(result.response));
  }
  EXPECT_TRUE(Is(h_.Apply(PutOf("", "x")).status, kErrEmptyKey));
  EXPECT_TRUE(Is(h_.Apply(DeleteOf("", "x")).status, kErrEmptyKey));
  EXPECT_EQ(h_.revision(), 1);
}

TEST_F(KvStoreTest, CommandsOfOneApplySeeEachOther) {
  std::vector<Command> commands(5);
  *commands[0].mutable_put() = PutOf("a", "1");
  *commands[1].mutable_put() = PutOf("a", "2");
  commands[1].mutable_put()->set_prev_kv(true);
  *commands[2].mutable_put() = PutOf("b", "1");
  *commands[3].mutable_delete_range() = DeleteOf(Zero(), Zero());
  commands[4].mutable_compaction()->set_revision(4);
  std::vector<KvResult> results = h_.ApplyAll(commands);
  EXPECT_EQ(std::get<PutResponse>(results[1].response).prev_kv().value(), "1");
  EXPECT_EQ(std::get<PutResponse>(results[2].response).header().revision(), 4);
  EXPECT_EQ(std::get<DeleteRangeResponse>(results[3].response).deleted(), 2);
  EXPECT_TRUE(results[4].status.ok());
  EXPECT_EQ(h_.revision(), 5);
  EXPECT_EQ(h_.All(4), "a=2 b=1");
  EXPECT_EQ(h_.All(3), kErrCompacted.text);
}

TEST_F(KvStoreTest, WhetherAResultIsWantedChangesNothing) {
  StoreHarness unwanted;
  for (int i = 0; i < 3; ++i) {
    Command command;
    *command.mutable_put() = PutOf("a", "x");
    command.mutable_put()->set_prev_kv(true);
    h_.Apply(command);
    unwanted.ApplyUnwanted(command);
    Command removal;
    *removal.mutable_delete_range() = DeleteOf("a", i == 1 ? "b" : "");
    removal.mutable_delete_range()->set_prev_kv(true);
    h_.Apply(removal);
    unwanted.ApplyUnwanted(removal);
  }
  h_.Close();
  unwanted.Close();
  EXPECT_EQ(DumpRecords(h_.dir()), DumpRecords(unwanted.dir()));
}

TEST_F(KvStoreTest, StatsFollowTheStore) {
  h_.Put("a", std::string(200 << 10, 'x'));
  h_.Put("a", "small");
  ASSERT_TRUE(h_.Compact(2).ok());
  ASSERT_TRUE(h_.store().Sync().ok());
  KvStore::Statistics stats = h_.store().Stats();
  EXPECT_EQ(stats.revision, Revision(3));
  EXPECT_EQ(stats.compacted, Revision(2));
  EXPECT_GT(stats.disk_bytes, 200u << 10);
}

TEST_F(KvStoreTest, ReadersAndTheApplierDoNotMeet) {
  std::atomic<bool> done = false;
  // Every revision puts the same value to two keys, so a reader can tell a torn picture.
  std::thread reader([&] {
    int64_t last = 0;
    while (!done) {
      std::shared_ptr<const ReadView> view = h_.store().View();
      etcdserverpb::RangeResponse response;
      ASSERT_TRUE(view->Range(RangeOf("a", "c"), &response).ok());
      if (response.kvs_size() == 0) continue;
      ASSERT_EQ(response.kvs_size(), 2);
      EXPECT_EQ(response.kvs(0).value(), response.kvs(1).value());
      EXPECT_EQ(response.kvs(0).mod_revision(), view->revision().value());
      EXPECT_GE(view->revision().value(), last);
      last = view->revision().value();
      h_.store().Stats();
    }
  });
  for (int i = 0; i < 500; ++i) {
    etcdserverpb::TxnRequest txn;
    *txn.add_success() = Op(PutOf("a", std::to_string(i)));
    *txn.add_success() = Op(PutOf("b", std::to_string(i)));
    h_.Txn(txn);
  }
  done = true;
  reader.join();
}

using KvStoreDeathTest = KvStoreTest;

TEST_F(KvStoreDeathTest, EntriesMustFollowEachOther) {
  std::vector<ApplyItem> items(1);
  items[0].entry.index = LogIndex(2);
  EXPECT_DEATH((void)h_.store().Apply(items), "entries must follow each other");
}

}  // namespace
}  // namespace pontoon::kv
