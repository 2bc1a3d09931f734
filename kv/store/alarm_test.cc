// Alarms in the store: what they refuse, and who hears of them.

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "kv/errors.h"
#include "kv/store/alarms.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::AlarmRequest;
using storage::v1::Command;

AlarmRequest RequestOf(AlarmRequest::AlarmAction action, etcdserverpb::AlarmType type,
                       uint64_t member) {
  AlarmRequest request;
  request.set_action(action);
  request.set_alarm(type);
  request.set_memberid(member);
  return request;
}

// "NOSPACE:1 CORRUPT:2"
std::string TextOf(const AlarmSet& set) {
  std::string text;
  for (const AlarmSet::Alarm& alarm : set.raised()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", AlarmType_Name(alarm.type), ":",
                    alarm.member.value());
  }
  return text;
}

class AlarmTest : public testing::Test {
 protected:
  std::string Raise(etcdserverpb::AlarmType type, uint64_t member) {
    return h_.Alarm(RequestOf(AlarmRequest::ACTIVATE, type, member)).ShortDebugString();
  }
  std::string Clear(etcdserverpb::AlarmType type, uint64_t member) {
    return h_.Alarm(RequestOf(AlarmRequest::DEACTIVATE, type, member)).ShortDebugString();
  }
  std::string Raised() { return TextOf(h_.store().View()->alarms()); }

  // What becomes of each kind of command.
  void ExpectRefused(const Command& command, const ApiError& error) {
    const int64_t before = h_.revision();
    const absl::Status status = h_.Apply(command).status;
    EXPECT_EQ(status, absl::Status(error)) << command.ShortDebugString();
    EXPECT_EQ(h_.revision(), before);
  }
  void ExpectTaken(const Command& command) {
    const absl::Status status = h_.Apply(command).status;
    EXPECT_TRUE(status.ok()) << status << ": " << command.ShortDebugString();
  }

  static Command Put() {
    Command command;
    *command.mutable_put() = PutOf("k", "v");
    return command;
  }
  static Command Grant(int64_t id) {
    Command command;
    command.mutable_lease_grant()->set_id(id);
    return command;
  }
  static Command Revoke(int64_t id) {
    Command command;
    command.mutable_lease_revocation()->set_id(id);
    return command;
  }
  static Command Delete() {
    Command command;
    *command.mutable_delete_range() = DeleteOf("k");
    return command;
  }
  static Command Compact(int64_t revision) {
    Command command;
    command.mutable_compaction()->set_revision(revision);
    return command;
  }
  static Command Txn(const etcdserverpb::RequestOp& in_failure) {
    Command command;
    *command.mutable_txn()->add_failure() = in_failure;
    return command;
  }

  StoreHarness h_;
};

TEST_F(AlarmTest, AreRaisedAndClearedOneByOne) {
  EXPECT_EQ(Raise(etcdserverpb::CORRUPT, 2),
            "header { revision: 1 } alarms { memberID: 2 alarm: CORRUPT }");
  Raise(etcdserverpb::NOSPACE, 3);
  Raise(etcdserverpb::NOSPACE, 1);
  EXPECT_EQ(Raise(etcdserverpb::NOSPACE, 1),
            "header { revision: 1 } alarms { memberID: 1 alarm: NOSPACE }")
      << "a second time, as in etcd";
  EXPECT_EQ(Raised(), "NOSPACE:1 NOSPACE:3 CORRUPT:2");
  EXPECT_EQ(Clear(etcdserverpb::NOSPACE, 1),
            "header { revision: 1 } alarms { memberID: 1 alarm: NOSPACE }");
  EXPECT_EQ(Clear(etcdserverpb::NOSPACE, 1), "header { revision: 1 }");
  EXPECT_EQ(Raise(etcdserverpb::NONE, 1), "header { revision: 1 }");
  EXPECT_EQ(Raised(), "NOSPACE:3 CORRUPT:2");
}

TEST_F(AlarmTest, WithoutSpaceWhatNeedsSpaceIsRefused) {
  ExpectTaken(Put());
  ExpectTaken(Grant(7));
  Raise(etcdserverpb::NOSPACE, 1);
  ExpectRefused(Put(), kErrNoSpace);
  ExpectRefused(Grant(8), kErrNoSpace);
  ExpectRefused(Txn(Op(PutOf("k", "v"))), kErrNoSpace);
  etcdserverpb::TxnRequest nested;
  *nested.add_success() = Op(PutOf("k", "v"));
  ExpectRefused(Txn(Op(nested)), kErrNoSpace);
  ExpectTaken(Txn(Op(DeleteOf("x"))));
  ExpectTaken(Delete());
  ExpectTaken(Compact(2));
  ExpectTaken(Revoke(7));
  Clear(etcdserverpb::NOSPACE, 1);
  ExpectTaken(Put());
}

TEST_F(AlarmTest, NothingIsWrittenToACorruptCluster) {
  ExpectTaken(Put());
  ExpectTaken(Grant(7));
  Raise(etcdserverpb::NOSPACE, 1);
  Raise(etcdserverpb::CORRUPT, 1);
  ExpectRefused(Put(), kErrCorrupt);
  ExpectRefused(Delete(), kErrCorrupt);
  ExpectRefused(Txn(Op(DeleteOf("k"))), kErrCorrupt);
  ExpectRefused(Compact(2), kErrCorrupt);
  ExpectRefused(Grant(8), kErrCorrupt);
  ExpectRefused(Revoke(7), kErrCorrupt);
  EXPECT_EQ(h_.All(), "k=v");
  Clear(etcdserverpb::CORRUPT, 1);
  ExpectTaken(Delete());
}

TEST_F(AlarmTest, CountForTheRestOfTheirBatch) {
  std::vector<Command> commands{Put(), Command(), Put()};
  *commands[1].mutable_alarm() = RequestOf(AlarmRequest::ACTIVATE, etcdserverpb::NOSPACE, 1);
  const std::vector<KvResult> results = h_.ApplyAll(commands);
  EXPECT_TRUE(results[0].status.ok());
  EXPECT_EQ(results[2].status, absl::Status(kErrNoSpace));
}

TEST_F(AlarmTest, SurviveARestartAndASnapshot) {
  Raise(etcdserverpb::NOSPACE, 5);
  h_.Reopen();
  EXPECT_EQ(Raised(), "NOSPACE:5");
  StoreHarness other;
  other.InstallFrom(&h_);
  EXPECT_EQ(TextOf(other.store().View()->alarms()), "NOSPACE:5");
}

TEST(AlarmSet, ADamagedRecordIsNotDecoded) {
  AlarmSet set;
  set.Raise({etcdserverpb::NOSPACE, NodeId(5)});
  const std::string bytes = set.Encode();
  EXPECT_EQ(AlarmSet::Decode(bytes), set);
  EXPECT_EQ(AlarmSet::Decode(bytes.substr(0, bytes.size() - 1)), std::nullopt);
}

}  // namespace
}  // namespace pontoon::kv
