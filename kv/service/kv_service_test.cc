// The KV service: what works, and what is refused.

#include "kv/service/kv_service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/service/command.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/service_fixture.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/clock.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test

class KvServiceTest : public ServiceTest {
 protected:
  grpc::Status Range(const std::string& request, RangeResponse* response) {
    return kv_->Range(Call().get(), Parse<RangeRequest>(request), response);
  }
  grpc::Status Range(const std::string& request) {
    RangeResponse response;
    return Range(request, &response);
  }
  grpc::Status Delete(const std::string& request, DeleteRangeResponse* response) {
    return kv_->DeleteRange(Call().get(), Parse<DeleteRangeRequest>(request), response);
  }
  grpc::Status Delete(const std::string& request) {
    DeleteRangeResponse response;
    return Delete(request, &response);
  }
  grpc::Status Txn(const std::string& request, TxnResponse* response) {
    return kv_->Txn(Call().get(), Parse<TxnRequest>(request), response);
  }
  grpc::Status Txn(const std::string& request) {
    TxnResponse response;
    return Txn(request, &response);
  }
  grpc::Status Compact(const std::string& request) {
    CompactionResponse response;
    return kv_->Compact(Call().get(), Parse<CompactionRequest>(request), &response);
  }
  void GrantLease(int64_t id) {
    LeaseGrantRequest grant;
    grant.set_id(id);
    grant.set_ttl(60);
    replica_->Propose(*EncodeCommand(grant, kRequestBytesMax), Clock::System()->Now(),
                      [](const raft::ProposeOutcome&) {});
  }
  // The value of a key, read linearizably.
  std::string Get(const std::string& key) {
    RangeRequest request;
    request.set_key(key);
    RangeResponse response;
    const grpc::Status status = kv_->Range(Call().get(), request, &response);
    if (!status.ok()) return status.error_message();
    return response.kvs().empty() ? "(none)" : response.kvs(0).value();
  }
};

// ---- what works

TEST_F(KvServiceTest, PutGetDelete) {
  EXPECT_EQ(Get("k"), "(none)");
  EXPECT_TRUE(Put("key: 'k' value: 'v'").ok());
  EXPECT_EQ(Get("k"), "v");
  DeleteRangeResponse deleted;
  EXPECT_TRUE(Delete("key: 'k' prev_kv: true", &deleted).ok());
  EXPECT_EQ(deleted.deleted(), 1);
  EXPECT_EQ(deleted.prev_kvs(0).value(), "v");
  EXPECT_EQ(Get("k"), "(none)");
}

TEST_F(KvServiceTest, RangesGoThroughTheOtherLane) {
  ASSERT_TRUE(Put("key: 'a'").ok());
  ASSERT_TRUE(Put("key: 'b'").ok());
  RangeResponse response;
  ASSERT_TRUE(Range("key: 'a' range_end: 'z' limit: 1", &response).ok());
  EXPECT_EQ(response.kvs_size(), 1);
  EXPECT_TRUE(response.more());
  EXPECT_EQ(response.count(), 2);
}

TEST_F(KvServiceTest, HeadersSayWhoAnsweredAndWhen) {
  replica_->SetTerm(Term{5});
  PutResponse put;
  ASSERT_TRUE(Put("key: 'k'", &put).ok());
  EXPECT_EQ(put.header().cluster_id(), kCluster.value());
  EXPECT_EQ(put.header().member_id(), kSelf.value());
  EXPECT_EQ(put.header().revision(), 2);
  EXPECT_EQ(put.header().raft_term(), 5u);

  ASSERT_TRUE(Put("key: 'k'").ok());
  RangeResponse range;
  ASSERT_TRUE(Range("key: 'k' revision: 2", &range).ok());
  EXPECT_EQ(range.header().cluster_id(), kCluster.value());
  EXPECT_EQ(range.header().member_id(), kSelf.value());
  EXPECT_EQ(range.header().revision(), 3) << "the store's revision, not the one asked for";
  EXPECT_EQ(range.header().raft_term(), 5u);

  DeleteRangeResponse nothing;
  ASSERT_TRUE(Delete("key: 'missing'", &nothing).ok());
  EXPECT_EQ(nothing.header().revision(), 3);
}

TEST_F(KvServiceTest, OnlyTheOuterHeaderOfATransactionIsFilled) {
  TxnResponse txn;
  ASSERT_TRUE(
      Txn("success { request_put { key: 'k' } } success { request_range { key: 'k' } }", &txn)
          .ok());
  EXPECT_EQ(txn.header().cluster_id(), kCluster.value());
  EXPECT_EQ(txn.header().revision(), 2);
  EXPECT_EQ(txn.responses(0).response_put().header().cluster_id(), 0u);
  EXPECT_EQ(txn.responses(0).response_put().header().revision(), 2);
}

TEST_F(KvServiceTest, ReadOnlyTransactionsMakeNoCommand) {
  ASSERT_TRUE(Put("key: 'k' value: 'v'").ok());
  const int commands = replica_->proposals();
  TxnResponse txn;
  ASSERT_TRUE(Txn("compare { key: 'k' target: VERSION version: 1 } "
                  "success { request_range { key: 'k' } }",
                  &txn)
                  .ok());
  EXPECT_TRUE(txn.succeeded());
  EXPECT_EQ(txn.responses(0).response_range().kvs(0).value(), "v");
  EXPECT_EQ(txn.header().cluster_id(), kCluster.value());
  EXPECT_EQ(replica_->proposals(), commands);
}

TEST_F(KvServiceTest, AReadSaysHowItWasServed) {
  RangeResponse range;
  ASSERT_TRUE(Range("key: 'k'", &range).ok());
  EXPECT_EQ(range.read_report().consistency(), pontoon::v1::ReadOptions::LINEARIZABLE);
  EXPECT_TRUE(range.read_report().has_staleness_bound());
  ASSERT_TRUE(Range("key: 'k' read_options { consistency: LEASE }", &range).ok());
  EXPECT_EQ(range.read_report().consistency(), pontoon::v1::ReadOptions::LEASE);
  ASSERT_TRUE(Range("key: 'k' serializable: true", &range).ok());
  EXPECT_EQ(range.read_report().consistency(), pontoon::v1::ReadOptions::FOLLOWER);
  TxnResponse txn;
  ASSERT_TRUE(
      Txn("success { request_range { key: 'k' } } read_options { consistency: FOLLOWER }", &txn)
          .ok());
  EXPECT_EQ(txn.read_report().consistency(), pontoon::v1::ReadOptions::FOLLOWER);
  EXPECT_FALSE(txn.responses(0).response_range().has_read_report());
}

TEST_F(KvServiceTest, AFollowersReadWithABoundPassesABarrierUntilItsStateIsProven) {
  const std::string bounded =
      "key: 'k' read_options { consistency: FOLLOWER max_staleness { seconds: 3600 } }";
  const int before = replica_->barriers();
  RangeResponse range;
  ASSERT_TRUE(Range(bounded, &range).ok());
  EXPECT_TRUE(range.read_report().has_staleness_bound());
  ASSERT_TRUE(Range(bounded, &range).ok());
  EXPECT_EQ(replica_->barriers() - before, 1);
}

TEST_F(KvServiceTest, WhatIsNotProvenIsRefusedWithTheBound) {
  replica_->FailNextBarrier(absl::DeadlineExceededError("no leader"));
  const grpc::Status status =
      Range("key: 'k' read_options { consistency: FOLLOWER max_staleness { seconds: 1 } }");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(
      status.error_message(),
      "pontoon: the state of this member is to be at most 1s old, and nothing is known of how "
      "old it is: it has not heard from a leader since");
}

TEST_F(KvServiceTest, AReadWaitsForItsRevision) {
  RangeResponse range;
  grpc::Status status;
  std::thread reader([&] {
    status = Range("key: 'k' read_options { consistency: FOLLOWER min_revision: 3 }", &range);
  });
  ASSERT_TRUE(Put("key: 'k' value: '2'").ok());
  ASSERT_TRUE(Put("key: 'k' value: '3'").ok());
  reader.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(range.header().revision(), 3);
  EXPECT_EQ(range.kvs(0).value(), "3");
}

TEST_F(KvServiceTest, ARevisionThatDoesNotComeIsRefusedBeforeTheDeadline) {
  struct Call call;
  call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  RangeResponse range;
  const grpc::Status status = kv_->Range(
      call.get(), Parse<RangeRequest>("key: 'k' read_options { min_revision: 9 }"), &range);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(),
            "pontoon: this member has come to revision 1, and revision 9 was asked for");
}

TEST_F(KvServiceTest, MetadataSaysWhatReadsWantAndWritesDoNotCare) {
  struct Call range_call, put_call, txn_call, wrong_call;
  for (struct Call* call : {&range_call, &put_call, &txn_call}) {
    call->context.AddMetadata("pontoon-consistency", "follower");
  }
  RangeResponse range;
  ASSERT_TRUE(kv_->Range(range_call.get(), Parse<RangeRequest>("key: 'k'"), &range).ok());
  EXPECT_EQ(range.read_report().consistency(), pontoon::v1::ReadOptions::FOLLOWER);
  PutResponse put;
  EXPECT_TRUE(kv_->Put(put_call.get(), Parse<PutRequest>("key: 'k'"), &put).ok());
  TxnResponse txn;
  EXPECT_TRUE(
      kv_->Txn(txn_call.get(), Parse<TxnRequest>("success { request_put { key: 'k' } }"), &txn)
          .ok());

  wrong_call.context.AddMetadata("pontoon-consistency", "eventual");
  const grpc::Status status = kv_->Range(wrong_call.get(), Parse<RangeRequest>("key: 'k'"), &range);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "pontoon: pontoon-consistency is linearizable, lease or follower");
}

TEST_F(KvServiceTest, SerializableWinsOverTheConsistencyOfAConnection) {
  struct Call call;
  call.context.AddMetadata("pontoon-consistency", "lease");
  RangeResponse range;
  const grpc::Status status =
      kv_->Range(call.get(), Parse<RangeRequest>("key: 'k' serializable: true"), &range);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(range.read_report().consistency(), pontoon::v1::ReadOptions::FOLLOWER);
}

TEST_F(KvServiceTest, ATransactionThatGoesThroughTheLogTakesNoReadOptions) {
  const int commands = replica_->proposals();
  const grpc::Status writes = Txn("success { request_put { key: 'k' } } read_options {}");
  EXPECT_EQ(writes.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(writes.error_message(),
            "pontoon: read options are for transactions that only read; this one writes");
  const std::string nested = "success { request_txn { success { request_range { key: 'k' } } } } ";
  const grpc::Status only_reads = Txn(nested + "read_options {}");
  EXPECT_EQ(only_reads.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(only_reads.error_message(),
            "pontoon: read options are for transactions that only read, without others in them; "
            "this one has another in it, and goes through the log");
  EXPECT_EQ(replica_->proposals(), commands);
  EXPECT_TRUE(Txn(nested).ok());
  EXPECT_EQ(replica_->proposals(), commands + 1) << "as was said";
}

TEST_F(KvServiceTest, AWriteThatNamesItselfIsDoneOnce) {
  GrantLease(7);
  const std::string put = "key: 'k' value: '1' write_options { once { session: 7 sequence: 1 } }";
  PutResponse first, again;
  ASSERT_TRUE(Put(put, &first).ok());
  ASSERT_TRUE(Put("key: 'k' value: '2'").ok());
  replica_->SetTerm(Term{5});
  ASSERT_TRUE(Put(put, &again).ok());
  EXPECT_TRUE(again.write_report().repeated());
  EXPECT_EQ(again.header().revision(), first.header().revision());
  EXPECT_EQ(again.header().raft_term(), 5u) << "the header tells who answers";
  EXPECT_EQ(Get("k"), "2");
  EXPECT_TRUE(Failed(Put("key: 'k' value: '3' write_options { once { session: 7 sequence: 1 } }"),
                     kErrOnceReused));
  EXPECT_TRUE(Failed(Put("key: 'k' write_options { once { session: 8 sequence: 1 } }"),
                     kErrOnceSessionNotFound));
  TxnResponse txn;
  ASSERT_TRUE(Txn("success { request_put { key: 't' } } "
                  "write_options { once { session: 7 sequence: 2 answered_below: 2 } }",
                  &txn)
                  .ok());
  EXPECT_TRUE(Failed(Put(put), kErrOnceForgotten));
  DeleteRangeResponse deleted;
  ASSERT_TRUE(Delete("key: 't' write_options { once { session: 7 sequence: 3 } }", &deleted).ok());
  ASSERT_TRUE(Delete("key: 't' write_options { once { session: 7 sequence: 3 } }", &deleted).ok());
  EXPECT_EQ(deleted.deleted(), 1) << "of the first time";
}

TEST_F(KvServiceTest, MetadataNamesAWriteAndReadsDoNotCare) {
  GrantLease(7);
  const auto with_metadata = [](Call* call) {
    call->context.AddMetadata("pontoon-once-session", "7");
    call->context.AddMetadata("pontoon-once-sequence", "1");
    return call->get();
  };
  const auto put = Parse<PutRequest>("key: 'k' value: '1'");
  Call first_call, second_call, read_call;
  PutResponse response;
  ASSERT_TRUE(kv_->Put(with_metadata(&first_call), put, &response).ok());
  ASSERT_TRUE(kv_->Put(with_metadata(&second_call), put, &response).ok());
  EXPECT_TRUE(response.write_report().repeated());
  RangeResponse range;
  EXPECT_TRUE(kv_->Range(with_metadata(&read_call), Parse<RangeRequest>("key: 'k'"), &range).ok());
}

TEST_F(KvServiceTest, AFenceKeepsOutWhoHasLostTheLock) {
  PutResponse lock;
  ASSERT_TRUE(Put("key: 'lock/1'", &lock).ok());
  const std::string put = absl::StrCat("key: 'k' value: '1' write_options { fence { key: 'lock/1' ",
                                       "create_revision: ", lock.header().revision(), " } }");
  EXPECT_TRUE(Put(put).ok());
  ASSERT_TRUE(Delete("key: 'lock/1'").ok());
  EXPECT_TRUE(Failed(Put(put), kErrFenced));
  Call call;
  call.context.AddMetadata("pontoon-fence-key", "lock/1");
  call.context.AddMetadata("pontoon-fence-revision", "2");
  DeleteRangeResponse deleted;
  EXPECT_TRUE(Failed(kv_->DeleteRange(call.get(), Parse<DeleteRangeRequest>("key: 'k'"), &deleted),
                     kErrFenced));
}

TEST_F(KvServiceTest, ACompactionTakesNoFence) {
  ASSERT_TRUE(Put("key: 'k'").ok());
  const int proposals = replica_->proposals();
  for (const char* const request : {"revision: 2", "revision: 2 physical: true"}) {
    CompactionResponse response;
    EXPECT_TRUE(RefusedForItsFence(
        kv_->Compact(FencedCall().get(), Parse<CompactionRequest>(request), &response)))
        << request;
  }
  EXPECT_EQ(replica_->proposals(), proposals);
}

TEST_F(KvServiceTest, WriteOptionsThatMakeNoSenseAreNotProposed) {
  const int proposals = replica_->proposals();
  for (const grpc::Status& status :
       {Put("key: 'k' write_options { once { sequence: 1 } }"),
        Delete("key: 'k' write_options { fence { key: 'l' } }"),
        Txn("success { request_put { key: 'k' write_options {} } }"),
        Txn("success { request_range { key: 'k' } } write_options {}")}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  }
  EXPECT_EQ(replica_->proposals(), proposals);
}

TEST_F(KvServiceTest, OnlySerializableReadsSkipTheBarrier) {
  const struct {
    const char* txn;
    int barriers;
  } kCases[] = {
      {"success { request_range { key: 'a' serializable: true } }", 0},
      {"success { request_range { key: 'a' serializable: true } } "
       "failure { request_range { key: 'a' } }",
       1},
      {"compare { key: 'a' }", 1},
  };
  for (const auto& c : kCases) {
    const int before = replica_->barriers();
    EXPECT_TRUE(Txn(c.txn).ok());
    EXPECT_EQ(replica_->barriers() - before, c.barriers) << c.txn;
  }
  int before = replica_->barriers();
  EXPECT_TRUE(Range("key: 'a' serializable: true").ok());
  EXPECT_EQ(replica_->barriers() - before, 0);
  EXPECT_TRUE(Range("key: 'a'").ok());
  EXPECT_EQ(replica_->barriers() - before, 1);
}

TEST_F(KvServiceTest, PhysicalCompactionWaitsForTheRemoval) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Put("key: 'k'").ok());
  EXPECT_TRUE(Compact("revision: 8 physical: true").ok());
  EXPECT_TRUE(Range("key: 'k' revision: 8").ok());
  EXPECT_TRUE(Failed(Range("key: 'k' revision: 7"), kErrCompacted));
}

// ---- what is refused, and with which words

TEST_F(KvServiceTest, RequestsThatMakeNoSense) {
  EXPECT_TRUE(Failed(Put("value: 'v'"), kErrEmptyKey));
  EXPECT_TRUE(Failed(Range(""), kErrEmptyKey));
  EXPECT_TRUE(Failed(Delete(""), kErrEmptyKey));
  EXPECT_TRUE(Failed(Txn("compare { }"), kErrEmptyKey));
  EXPECT_TRUE(Failed(Txn("success { }"), kErrKeyNotFound));
  EXPECT_TRUE(Failed(Put("key: 'k' value: 'v' ignore_value: true"), kErrValueProvided));
  EXPECT_TRUE(Failed(Put("key: 'k' lease: 1 ignore_lease: true"), kErrLeaseProvided));
  EXPECT_TRUE(Failed(Txn("success { request_put { key: 'k' } } "
                         "success { request_delete_range { key: 'k' } }"),
                     kErrDuplicateKey));
  RangeRequest range;
  range.set_key("k");
  range.set_sort_target(static_cast<RangeRequest::SortTarget>(9));
  RangeResponse response;
  EXPECT_TRUE(Failed(kv_->Range(Call().get(), range, &response), kErrInvalidSortOption));
  TxnRequest txn;
  for (int i = 0; i < 129; ++i) txn.add_compare()->set_key("k");
  TxnResponse txn_response;
  EXPECT_TRUE(Failed(kv_->Txn(Call().get(), txn, &txn_response), kErrTooManyOps));
  EXPECT_EQ(replica_->proposals(), 0);
}

TEST_F(KvServiceTest, RequestsThatTheStateRefuses) {
  EXPECT_TRUE(Failed(Put("key: 'k' ignore_value: true"), kErrKeyNotFound));
  EXPECT_TRUE(Failed(Put("key: 'k' lease: 7"), kErrLeaseNotFound));
  EXPECT_TRUE(Failed(Put("key: 'k' lease: -7"), kErrLeaseNotFound));
  EXPECT_TRUE(Failed(Range("key: 'k' revision: 2"), kErrFutureRev));
  EXPECT_TRUE(Failed(Txn("success { request_range { key: 'k' revision: 2 } }"), kErrFutureRev));
  EXPECT_TRUE(Failed(Compact("revision: 2"), kErrFutureRev));
  EXPECT_TRUE(Failed(Compact("revision: -1"), kErrCompacted));
  EXPECT_TRUE(Failed(Compact("revision: 2 physical: true"), kErrFutureRev));
  ASSERT_TRUE(Put("key: 'k'").ok());
  ASSERT_TRUE(Put("key: 'k'").ok());
  EXPECT_TRUE(Compact("revision: 3").ok());
  EXPECT_TRUE(Failed(Compact("revision: 3"), kErrCompacted));
  EXPECT_TRUE(Failed(Range("key: 'k' revision: 2"), kErrCompacted));
  EXPECT_TRUE(Range("key: 'k' revision: -2 limit: -1").ok()) << "as in etcd: now, and no limit";
}

TEST_F(KvServiceTest, RequestsThatAreTooLarge) {
  PutRequest put;
  put.set_key("k");
  put.set_value(std::string(kRequestBytesMax - 100, 'v'));
  PutResponse response;
  EXPECT_TRUE(kv_->Put(Call().get(), put, &response).ok());
  put.set_value(std::string(kRequestBytesMax, 'v'));
  EXPECT_TRUE(Failed(kv_->Put(Call().get(), put, &response), kErrRequestTooLarge));
  put.set_value(std::string(kRequestBytesMax + (512 << 10), 'v'));
  EXPECT_EQ(kv_->Put(Call().get(), put, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED)
      << "that large gRPC itself refuses it";
}

TEST_F(KvServiceTest, WritesThatCameToNothing) {
  using raft::NotApplied;
  using raft::OutcomeUnknown;
  const auto put_after = [this](raft::ProposeOutcome outcome) {
    replica_->FailNextProposal(std::move(outcome));
    return Put("key: 'k'");
  };
  EXPECT_TRUE(Failed(put_after(NotApplied{NotApplied::Reason::kNoLeader}), kErrNoLeader));
  EXPECT_TRUE(
      Failed(put_after(NotApplied{NotApplied::Reason::kOverloaded}), kErrRequestTooManyRequests));
  EXPECT_TRUE(Failed(put_after(NotApplied{NotApplied::Reason::kStopped}), kErrStopped));
  EXPECT_TRUE(Failed(put_after(OutcomeUnknown{OutcomeUnknown::Reason::kDeadline}), kErrTimeout));
  replica_->SetLeader(kNoNode);
  EXPECT_TRUE(Failed(put_after(OutcomeUnknown{OutcomeUnknown::Reason::kDeadline}),
                     kErrTimeoutDueToLeaderFail));
}

TEST_F(KvServiceTest, ReadsThatCouldNotBeConfirmed) {
  const auto read_after = [this](absl::Status barrier) {
    replica_->FailNextBarrier(std::move(barrier));
    return Range("key: 'k'");
  };
  EXPECT_TRUE(Failed(read_after(absl::DeadlineExceededError("x")), kErrTimeout));
  EXPECT_TRUE(Failed(read_after(absl::ResourceExhaustedError("x")), kErrRequestTooManyRequests));
  EXPECT_TRUE(Failed(read_after(absl::UnavailableError("x")), kErrStopped));
  replica_->SetLeader(kNoNode);
  EXPECT_TRUE(Failed(read_after(absl::DeadlineExceededError("x")), kErrNoLeader));
}

TEST_F(KvServiceTest, ClientsMayInsistOnALeader) {
  replica_->SetLeader(kNoNode);
  {
    InsistingCall call;
    PutResponse response;
    EXPECT_TRUE(
        Failed(kv_->Put(&call.context, Parse<PutRequest>("key: 'k'"), &response), kErrNoLeader));
  }
  {
    InsistingCall call;
    RangeResponse response;
    EXPECT_TRUE(Failed(
        kv_->Range(&call.context, Parse<RangeRequest>("key: 'k' serializable: true"), &response),
        kErrNoLeader));
  }
  EXPECT_TRUE(Range("key: 'k' serializable: true").ok()) << "this one does not insist";
  replica_->SetLeader(kPeer);
  {
    InsistingCall call;
    PutResponse response;
    EXPECT_TRUE(kv_->Put(&call.context, Parse<PutRequest>("key: 'k'"), &response).ok());
  }
}

TEST_F(KvServiceTest, TheSoonerDeadlineCounts) {
  const Clock& clock = *Clock::System();
  Call call;
  call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
  PutResponse response;
  Instant before = clock.Now();
  ASSERT_TRUE(kv_->Put(&call.context, Parse<PutRequest>("key: 'k'"), &response).ok());
  EXPECT_GT(replica_->last_deadline() - before, absl::Seconds(1));
  EXPECT_LT(replica_->last_deadline() - clock.Now(), absl::Milliseconds(2001));

  before = clock.Now();
  grpc::ClientContext patient;
  ASSERT_TRUE(kv_->Put(&patient, Parse<PutRequest>("key: 'k'"), &response).ok());
  EXPECT_GE(replica_->last_deadline() - before, absl::Seconds(7));
  EXPECT_LE(replica_->last_deadline() - clock.Now(), absl::Seconds(7));
}

}  // namespace
}  // namespace pontoon::kv
