// Writes that are done once, and writes behind a fence, as the state machine applies them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "kv/errors.h"
#include "kv/store/layout.h"
#include "kv/store/once_session.h"
#include "kv/store/store_harness.h"

namespace pontoon::kv {
namespace {

using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::PutResponse;
using etcdserverpb::TxnResponse;
using storage::v1::Command;

constexpr int64_t kSession = 7;

// Two commands are copies of each other if they have the same fingerprint: the service's to make.
constexpr uint64_t kFingerprint = 99;

Command Once(Command command, uint64_t sequence, uint64_t answered_below = 0,
             uint64_t fingerprint = kFingerprint) {
  v1::Once* const once = command.mutable_conditions()->mutable_options()->mutable_once();
  once->set_session(kSession);
  once->set_sequence(sequence);
  once->set_answered_below(answered_below);
  command.mutable_conditions()->set_fingerprint(fingerprint);
  return command;
}

Command OfSession(int64_t session, Command command) {
  command.mutable_conditions()->mutable_options()->mutable_once()->set_session(session);
  return command;
}

Command Fenced(Command command, const std::string& key, int64_t create_revision) {
  v1::Fence* const fence = command.mutable_conditions()->mutable_options()->mutable_fence();
  fence->set_key(key);
  fence->set_create_revision(create_revision);
  return command;
}

Command PutCommand(const std::string& key, const std::string& value, bool prev_kv = false) {
  Command command;
  *command.mutable_put() = PutOf(key, value);
  command.mutable_put()->set_prev_kv(prev_kv);
  return command;
}

Command DeleteCommand(const std::string& key) {
  Command command;
  *command.mutable_delete_range() = DeleteOf(key);
  return command;
}

// Puts `key` if there is none; says what it holds otherwise.
Command CreateCommand(const std::string& key, const std::string& value) {
  Command command;
  etcdserverpb::Compare* const compare = command.mutable_txn()->add_compare();
  compare->set_key(key);
  compare->set_target(etcdserverpb::Compare::VERSION);
  *command.mutable_txn()->add_success() = Op(PutOf(key, value));
  *command.mutable_txn()->add_failure() = Op(RangeOf(key));
  return command;
}

class OnceTest : public testing::Test {
 protected:
  OnceTest() { EXPECT_TRUE(h_.Grant(kSession, 60).ok()); }

  void ExpectRefused(const Command& command, const ApiError& error) {
    const KvResult result = h_.Apply(command);
    EXPECT_EQ(result.status, absl::Status(error));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(result.response));
  }

  template <typename Response>
  Response Answer(const Command& command) {
    KvResult result = h_.Apply(command);
    EXPECT_TRUE(result.status.ok()) << result.status;
    return std::get<Response>(result.response);
  }

  // Records of sessions and their writes that are in the store.
  size_t OnceRecords() {
    h_.Close();
    size_t count = 0;
    for (const auto& [key, value] : DumpRecords(h_.dir())) count += key.front() == kOncePrefix;
    h_.Open();
    return count;
  }

  // What the store has counted: "decided repeated session_not_found forgotten reused too_many
  // fenced".
  std::string Counts() {
    const StoreInstruments& counts = h_.store().instruments();
    std::vector<std::string> numbers;
    for (const Counter* counter :
         {&counts.once_decided, &counts.once_repeated, &counts.once_session_not_found,
          &counts.once_forgotten, &counts.once_reused, &counts.once_too_many, &counts.fenced}) {
      numbers.push_back(absl::StrCat(counter->value()));
    }
    return absl::StrJoin(numbers, " ");
  }

  StoreHarness h_;
};

TEST_F(OnceTest, ARepeatGetsTheFirstAnswerAndHasNoEffect) {
  h_.Put("k", "old");
  const Command put = Once(PutCommand("k", "1", /*prev_kv=*/true), 1);
  const PutResponse first = Answer<PutResponse>(put);
  EXPECT_EQ(first.prev_kv().value(), "old");
  EXPECT_FALSE(first.has_write_report());
  h_.Put("k", "2");
  PutResponse again = Answer<PutResponse>(put);
  EXPECT_TRUE(again.write_report().repeated());
  again.clear_write_report();
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(h_.Describe("k"), "2/4/3/0 2");
}

TEST_F(OnceTest, DeletionsAndTransactionsAreRepeatedToo) {
  h_.Put("k", "v");
  const Command deletion = Once(DeleteCommand("k"), 1);
  EXPECT_EQ(Answer<DeleteRangeResponse>(deletion).deleted(), 1);
  const Command creation = Once(CreateCommand("k", "w"), 2);
  const TxnResponse created = Answer<TxnResponse>(creation);
  EXPECT_TRUE(created.succeeded());

  const DeleteRangeResponse deleted_again = Answer<DeleteRangeResponse>(deletion);
  EXPECT_EQ(deleted_again.deleted(), 1);
  EXPECT_TRUE(deleted_again.write_report().repeated());
  const TxnResponse created_again = Answer<TxnResponse>(creation);
  EXPECT_TRUE(created_again.succeeded()) << "and not what its comparison gives now";
  EXPECT_EQ(created_again.header().revision(), created.header().revision());
  EXPECT_EQ(h_.Get("k"), "w");
}

TEST_F(OnceTest, ATransactionThatChangedNothingIsRepeatedToo) {
  h_.Put("k", "v");
  const Command creation = Once(CreateCommand("k", "w"), 1);
  EXPECT_FALSE(Answer<TxnResponse>(creation).succeeded());
  h_.Delete("k");
  const TxnResponse again = Answer<TxnResponse>(creation);
  EXPECT_FALSE(again.succeeded());
  EXPECT_EQ(again.responses(0).response_range().kvs(0).value(), "v");
  EXPECT_EQ(h_.Get("k"), "(none)");
}

// A copy that is late must not do what its client was told is not done.
TEST_F(OnceTest, ARefusalIsADecisionToo) {
  Command put = PutCommand("k", "v");
  put.mutable_put()->set_lease(8);
  ExpectRefused(Once(put, 1), kErrLeaseNotFound);
  ASSERT_TRUE(h_.Grant(8, 60).ok());
  ExpectRefused(Once(put, 1), kErrLeaseNotFound);
  EXPECT_EQ(h_.Get("k"), "(none)");
  EXPECT_TRUE(h_.Apply(Once(put, 2)).status.ok());
}

TEST_F(OnceTest, AnotherWriteOfTheSameNameIsRefused) {
  Answer<PutResponse>(Once(PutCommand("k", "1"), 1));
  ExpectRefused(Once(PutCommand("k", "2"), 1, 0, kFingerprint + 1), kErrOnceReused);
  EXPECT_EQ(h_.Get("k"), "1");
}

TEST_F(OnceTest, ASessionIsALease) {
  ExpectRefused(OfSession(8, Once(PutCommand("k", "1"), 1)), kErrOnceSessionNotFound);
  const Command put = Once(PutCommand("k", "1"), 1);
  Answer<PutResponse>(put);
  Answer<PutResponse>(Once(PutCommand("k", "2"), 2));
  EXPECT_EQ(OnceRecords(), 3u);
  ASSERT_TRUE(h_.Revoke(kSession).ok());
  EXPECT_EQ(OnceRecords(), 0u) << "nothing is kept for ever";
  ExpectRefused(put, kErrOnceSessionNotFound);
  ASSERT_TRUE(h_.Grant(kSession, 60).ok());
  EXPECT_FALSE(Answer<PutResponse>(put).has_write_report()) << "another session of the same id";
}

TEST_F(OnceTest, WithALeaseOnlyItsOwnSessionIsForgotten) {
  ASSERT_TRUE(h_.Grant(kSession + 1, 60).ok());
  ASSERT_TRUE(h_.Grant(kSession - 1, 60).ok());
  const Command put = Once(PutCommand("k", "1"), std::numeric_limits<uint64_t>::max());
  Answer<PutResponse>(put);
  ASSERT_TRUE(h_.Revoke(kSession - 1).ok());
  ASSERT_TRUE(h_.Revoke(kSession + 1).ok());
  EXPECT_TRUE(Answer<PutResponse>(put).write_report().repeated());
  ASSERT_TRUE(h_.Revoke(kSession).ok());
  EXPECT_EQ(OnceRecords(), 0u) << "up to the last sequence";
}

TEST_F(OnceTest, WhatTheClientHasTheAnswerToIsForgotten) {
  for (uint64_t sequence : {1, 2, 3, 5}) Answer<PutResponse>(Once(PutCommand("k", "v"), sequence));
  EXPECT_EQ(OnceRecords(), 5u);
  Answer<PutResponse>(Once(PutCommand("k", "w"), 6, /*answered_below=*/4));
  EXPECT_EQ(OnceRecords(), 3u) << "the session's, and those of 5 and 6";
  ExpectRefused(Once(PutCommand("k", "v"), 3), kErrOnceForgotten);
  EXPECT_EQ(h_.Get("k"), "w");
  EXPECT_FALSE(Answer<PutResponse>(Once(PutCommand("k", "x"), 4)).has_write_report())
      << "it was never decided";
  EXPECT_TRUE(Answer<PutResponse>(Once(PutCommand("k", "v"), 5)).write_report().repeated());
}

// Few are looked up, many are walked over; both go as far as they should.
TEST_F(OnceTest, HoweverManyAreForgottenTheRestStays) {
  uint64_t begin = 1;
  for (const uint64_t count : {1, 2, 8, 9, 100}) {
    const uint64_t end = begin + count;  // what begin is next
    for (const uint64_t sequence : std::set{begin, begin + count / 2, end - 1, end}) {
      Answer<PutResponse>(Once(PutCommand("k", "v"), sequence, begin));
    }
    Answer<PutResponse>(Once(PutCommand("k", "w"), end + 1, /*answered_below=*/end));
    EXPECT_EQ(OnceRecords(), 3u) << count << ": the session's, and those of the last two";
    ExpectRefused(Once(PutCommand("k", "v"), end - 1), kErrOnceForgotten);
    EXPECT_TRUE(Answer<PutResponse>(Once(PutCommand("k", "v"), end)).write_report().repeated());
    begin = end;
  }
}

TEST_F(OnceTest, ALateCopyDoesNotBringBackWhatIsForgotten) {
  Answer<PutResponse>(Once(PutCommand("k", "1"), 9, /*answered_below=*/9));
  ExpectRefused(Once(PutCommand("k", "1"), 2, /*answered_below=*/1), kErrOnceForgotten);
  ExpectRefused(Once(PutCommand("k", "1"), 8), kErrOnceForgotten);
  ExpectRefused(Once(PutCommand("k", "1"), 0), kErrOnceForgotten);
}

TEST_F(OnceTest, ASessionHasABoundedNumberOfWritesThatAreNotForgotten) {
  std::vector<Command> commands;
  for (uint64_t sequence = 1; sequence <= kOnceWritesMax; ++sequence) {
    commands.push_back(Once(PutCommand("k", "v"), sequence));
  }
  for (const KvResult& result : h_.ApplyAll(commands)) EXPECT_TRUE(result.status.ok());
  const uint64_t next = kOnceWritesMax + 1;
  const int64_t revision = h_.revision();
  ExpectRefused(Once(PutCommand("k", "w"), next), kErrOnceTooMany);
  EXPECT_EQ(h_.revision(), revision);
  EXPECT_TRUE(Answer<PutResponse>(Once(PutCommand("k", "v"), 1)).write_report().repeated());
  EXPECT_FALSE(Answer<PutResponse>(Once(PutCommand("k", "w"), next, 2)).has_write_report())
      << "there is room, and the refusal was no decision";
  ExpectRefused(Once(PutCommand("k", "w"), next + 1), kErrOnceTooMany);
}

TEST_F(OnceTest, OfALargeAnswerIsOnlyKeptThatItWasGiven) {
  h_.Put("k", std::string(kOnceAnswerBytesMax, 'x'));
  const Command put = Once(PutCommand("k", "1", /*prev_kv=*/true), 1);
  EXPECT_EQ(Answer<PutResponse>(put).prev_kv().value().size(), kOnceAnswerBytesMax);
  ExpectRefused(put, kErrOnceAnswerTooLarge);
  EXPECT_EQ(h_.Describe("k"), "2/3/2/0 1");
}

TEST_F(OnceTest, IsKnownAfterARestartAndInASnapshot) {
  const Command put = Once(PutCommand("k", "1"), 1);
  Answer<PutResponse>(put);
  h_.Reopen();
  EXPECT_TRUE(Answer<PutResponse>(put).write_report().repeated());

  StoreHarness other;
  other.InstallFrom(&h_);
  const KvResult result = other.Apply(put);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(std::get<PutResponse>(result.response).write_report().repeated());
  EXPECT_EQ(other.Describe("k"), "2/2/1/0 1");
}

TEST_F(OnceTest, CopiesInOneBatchKnowOfEachOther) {
  const Command put = Once(PutCommand("k", "1"), 1);
  const std::vector<KvResult> results = h_.ApplyAll({put, put});
  EXPECT_FALSE(std::get<PutResponse>(results[0].response).has_write_report());
  EXPECT_TRUE(std::get<PutResponse>(results[1].response).write_report().repeated());
  EXPECT_EQ(h_.Describe("k"), "2/2/1/0 1");
}

TEST_F(OnceTest, DoesNotDependOnWhoWantsTheAnswer) {
  StoreHarness unwanted;
  ASSERT_TRUE(unwanted.Grant(kSession, 60).ok());
  const Command put = Once(CreateCommand("k", "1"), 1);
  Answer<TxnResponse>(put);
  unwanted.ApplyUnwanted(put);
  EXPECT_EQ(h_.store().View()->digest(), unwanted.store().View()->digest());
  EXPECT_TRUE(std::get<TxnResponse>(unwanted.Apply(put).response).write_report().repeated());
}

TEST_F(OnceTest, WhatAnAlarmRefusedIsDecidedAndWhatWasDoneBeforeIsTold) {
  const Command done = Once(PutCommand("k", "1"), 1), refused = Once(PutCommand("k", "2"), 2);
  Answer<PutResponse>(done);
  etcdserverpb::AlarmRequest alarm;
  alarm.set_action(etcdserverpb::AlarmRequest::ACTIVATE);
  alarm.set_alarm(etcdserverpb::NOSPACE);
  alarm.set_memberid(1);
  h_.Alarm(alarm);
  EXPECT_TRUE(Answer<PutResponse>(done).write_report().repeated());
  ExpectRefused(refused, kErrNoSpace);
  alarm.set_action(etcdserverpb::AlarmRequest::DEACTIVATE);
  h_.Alarm(alarm);
  ExpectRefused(refused, kErrNoSpace);
}

TEST_F(OnceTest, OnlyWritesHaveConditions) {
  Command compaction;
  compaction.mutable_compaction()->set_revision(1);
  EXPECT_EQ(h_.Apply(Once(compaction, 1)).status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OnceTest, AFenceHoldsAsLongAsItsKeyIsThatWhichWasCreated) {
  const int64_t token = h_.Put("lock/1", "");
  EXPECT_TRUE(h_.Apply(Fenced(PutCommand("k", "1"), "lock/1", token)).status.ok());
  h_.Put("lock/1", "renewed");
  EXPECT_TRUE(h_.Apply(Fenced(DeleteCommand("k"), "lock/1", token)).status.ok());
  EXPECT_TRUE(h_.Apply(Fenced(CreateCommand("k", "2"), "lock/1", token)).status.ok());

  ExpectRefused(Fenced(PutCommand("k", "3"), "lock/1", token + 1), kErrFenced);
  h_.Delete("lock/1");
  ExpectRefused(Fenced(PutCommand("k", "3"), "lock/1", token), kErrFenced);
  h_.Put("lock/1", "of another holder");
  for (const Command& command :
       {PutCommand("k", "3"), DeleteCommand("k"), CreateCommand("k", "3")}) {
    ExpectRefused(Fenced(command, "lock/1", token), kErrFenced);
  }
  EXPECT_EQ(h_.Get("k"), "2");
}

TEST_F(OnceTest, AFencedWriteThatIsSentAgainIsToldThatItWasDone) {
  const int64_t token = h_.Put("lock/1", "");
  const Command put = Once(Fenced(PutCommand("k", "1"), "lock/1", token), 1);
  Answer<PutResponse>(put);
  h_.Delete("lock/1");
  EXPECT_TRUE(Answer<PutResponse>(put).write_report().repeated());
  ExpectRefused(Once(Fenced(PutCommand("k", "2"), "lock/1", token), 2), kErrFenced);
}

TEST_F(OnceTest, WhatCameOfAWriteIsCountedWhereItsClientWaits) {
  const int64_t token = h_.Put("lock/1", "");
  const Command put = Once(PutCommand("k", "1"), 2);
  EXPECT_EQ(Counts(), "0 0 0 0 0 0 0") << "a write without conditions";
  h_.Apply(put);
  EXPECT_EQ(Counts(), "1 0 0 0 0 0 0");
  h_.Apply(put);
  EXPECT_EQ(Counts(), "1 1 0 0 0 0 0");
  h_.Apply(OfSession(8, put));
  EXPECT_EQ(Counts(), "1 1 1 0 0 0 0");
  h_.Apply(Once(PutCommand("k", "1"), 1, /*answered_below=*/2));
  EXPECT_EQ(Counts(), "1 1 1 1 0 0 0");
  h_.Apply(Once(PutCommand("k", "2"), 2, 0, kFingerprint + 1));
  EXPECT_EQ(Counts(), "1 1 1 1 1 0 0");

  const Command fenced = Fenced(PutCommand("k", "2"), "lock/1", token + 1);
  h_.Apply(Fenced(PutCommand("k", "2"), "lock/1", token));
  EXPECT_EQ(Counts(), "1 1 1 1 1 0 0") << "the lock was held";
  h_.Apply(fenced);
  EXPECT_EQ(Counts(), "1 1 1 1 1 0 1");
  h_.Apply(Once(fenced, 3));
  EXPECT_EQ(Counts(), "2 1 1 1 1 0 2") << "a refusal is a decision";
  h_.Apply(Once(fenced, 3));
  EXPECT_EQ(Counts(), "2 2 1 1 1 0 2") << "which is only repeated";

  for (uint64_t sequence = 4; sequence < 2 + kOnceWritesMax; ++sequence) {
    h_.Apply(Once(DeleteCommand("k"), sequence));
  }
  EXPECT_EQ(Counts(), "1024 2 1 1 1 0 2");
  h_.Apply(Once(DeleteCommand("k"), 2 + kOnceWritesMax));
  EXPECT_EQ(Counts(), "1024 2 1 1 1 1 2");
}

TEST_F(OnceTest, WritesOfOtherMembersClientsAreNotCounted) {
  const Command put = Once(PutCommand("k", "1"), 1);
  h_.ApplyUnwanted(put);
  h_.ApplyUnwanted(put);
  h_.ApplyUnwanted(OfSession(8, put));
  h_.ApplyUnwanted(Fenced(put, "lock/1", 1));
  h_.ApplyUnwanted(Fenced(PutCommand("k", "2"), "lock/1", 1));
  EXPECT_EQ(Counts(), "0 0 0 0 0 0 0");
  EXPECT_EQ(h_.Get("k"), "1");
}

}  // namespace
}  // namespace pontoon::kv
