// The services as clients see them: over gRPC, in front of a real store, behind a replica that
// applies at once what it is given.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "kv/errors.h"
#include "kv/service/client_server.h"
#include "kv/service/cluster_service.h"
#include "kv/service/kv_service.h"
#include "kv/service/maintenance_service.h"
#include "kv/service/member.h"
#include "kv/service/read_lane.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/instant_replica.h"
#include "kv/service/unknown_calls.h"
#include "kv/store/kv_store.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ClusterId kCluster{0xc1};
constexpr NodeId kSelf{0xa1};
constexpr NodeId kPeer{0xa2};
constexpr size_t kRequestBytesMax = 64 << 10;

// Everybody has the name that belongs to its id, and only one has told where clients reach it.
class NamesOnly : public MemberDirectory {
 public:
  absl::StatusOr<std::vector<MemberInfo>> Members(const ReadView&,
                                                  const Membership& membership) const override {
    std::vector<MemberInfo> members;
    for (const NodeId node : membership.AllNodes()) {
      const std::string name = node == kSelf ? "a" : node == kPeer ? "b" : "";
      members.push_back({node, name, membership.peer_urls.at(node), {}});
      if (node == kSelf) members.back().client_urls = {"http://a:2379"};
    }
    return members;
  }
};

// Two voters.
Membership SelfAndPeer() {
  return {.voters = {kSelf, kPeer},
          .peer_urls = {{kSelf, {"http://a:2380"}}, {kPeer, {"http://b:2380"}}}};
}

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() : scrubber_(NewThreadExecutor("scrubber")) {
    StoreOptions options;
    options.scrub_executor = scrubber_.get();
    store_ = OpenFreshStore(options);
    replica_ = std::make_unique<InstantReplica>(kSelf, store_.get());
    replica_->SetMembership(SelfAndPeer());
    member_ = std::make_unique<Member>(Member::Options{kCluster}, replica_.get(), Clock::System());
    points_ = std::make_unique<ReadLane>(store_.get(), replica_.get(), NewThreadExecutor("points"));
    ranges_ = std::make_unique<ReadLane>(store_.get(), replica_.get(), NewThreadExecutor("ranges"));
    kv_service_ = std::make_unique<KvService>(
        KvService::Parts{member_.get(), store_.get(), points_.get(), ranges_.get()},
        RequestLimits{.request_bytes_max = kRequestBytesMax});
    reporter_ = std::make_unique<StatusReporter>(StatusReporter::Parts{
        .member = member_.get(),
        .store = store_.get(),
        .add_more = [](etcdserverpb::StatusResponse* response) { response->set_log_bytes(4711); }});
    maintenance_service_ = std::make_unique<MaintenanceService>(
        MaintenanceService::Parts{member_.get(), store_.get(), points_.get(), reporter_.get()});
    cluster_service_ = std::make_unique<ClusterService>(
        ClusterService::Parts{member_.get(), &directory_, points_.get(), "token"});

    ClientServerOptions server_options;
    server_options.request_bytes_max = kRequestBytesMax;
    auto server = StartClientServer(
        server_options, {kv_service_.get(), maintenance_service_.get(), cluster_service_.get()},
        &unknown_calls_);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
    kv_ = KV::NewStub(channel_);
    maintenance_ = Maintenance::NewStub(channel_);
    cluster_ = Cluster::NewStub(channel_);
  }

  ~ServiceTest() override {
    server_->Shutdown(std::chrono::system_clock::now());
    replica_.reset();  // its thread uses the store
  }

  grpc::Status Put(const std::string& request, PutResponse* response) {
    return kv_->Put(Call().get(), Parse<PutRequest>(request), response);
  }
  grpc::Status Put(const std::string& request) {
    PutResponse response;
    return Put(request, &response);
  }
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
  grpc::Status MoveLeader(NodeId target) {
    MoveLeaderRequest request;
    request.set_targetid(target.value());
    MoveLeaderResponse response;
    const grpc::Status status = maintenance_->MoveLeader(Call().get(), request, &response);
    EXPECT_FALSE(response.has_header());
    return status;
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

  std::unique_ptr<Executor> scrubber_;
  std::unique_ptr<KvStore> store_;
  std::unique_ptr<InstantReplica> replica_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<ReadLane> points_, ranges_;
  std::unique_ptr<KvService> kv_service_;
  std::unique_ptr<StatusReporter> reporter_;
  std::unique_ptr<MaintenanceService> maintenance_service_;
  NamesOnly directory_;
  std::unique_ptr<ClusterService> cluster_service_;
  UnknownCalls unknown_calls_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<KV::Stub> kv_;
  std::unique_ptr<Maintenance::Stub> maintenance_;
  std::unique_ptr<Cluster::Stub> cluster_;
};

testing::AssertionResult NotOffered(const grpc::Status& status, const std::string& call) {
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED &&
      status.error_message() == call + " is not offered by pontoon 0.1.0") {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "got " << status.error_code() << " \"" << status.error_message() << "\"";
}

// ---- what works

TEST_F(ServiceTest, PutGetDelete) {
  EXPECT_EQ(Get("k"), "(none)");
  EXPECT_TRUE(Put("key: 'k' value: 'v'").ok());
  EXPECT_EQ(Get("k"), "v");
  DeleteRangeResponse deleted;
  EXPECT_TRUE(Delete("key: 'k' prev_kv: true", &deleted).ok());
  EXPECT_EQ(deleted.deleted(), 1);
  EXPECT_EQ(deleted.prev_kvs(0).value(), "v");
  EXPECT_EQ(Get("k"), "(none)");
}

TEST_F(ServiceTest, RangesGoThroughTheOtherLane) {
  ASSERT_TRUE(Put("key: 'a'").ok());
  ASSERT_TRUE(Put("key: 'b'").ok());
  RangeResponse response;
  ASSERT_TRUE(Range("key: 'a' range_end: 'z' limit: 1", &response).ok());
  EXPECT_EQ(response.kvs_size(), 1);
  EXPECT_TRUE(response.more());
  EXPECT_EQ(response.count(), 2);
}

TEST_F(ServiceTest, HeadersSayWhoAnsweredAndWhen) {
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

TEST_F(ServiceTest, OnlyTheOuterHeaderOfATransactionIsFilled) {
  TxnResponse txn;
  ASSERT_TRUE(
      Txn("success { request_put { key: 'k' } } success { request_range { key: 'k' } }", &txn)
          .ok());
  EXPECT_EQ(txn.header().cluster_id(), kCluster.value());
  EXPECT_EQ(txn.header().revision(), 2);
  EXPECT_EQ(txn.responses(0).response_put().header().cluster_id(), 0u);
  EXPECT_EQ(txn.responses(0).response_put().header().revision(), 2);
}

TEST_F(ServiceTest, ReadOnlyTransactionsMakeNoCommand) {
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

TEST_F(ServiceTest, OnlySerializableReadsSkipTheBarrier) {
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

TEST_F(ServiceTest, PhysicalCompactionWaitsForTheRemoval) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Put("key: 'k'").ok());
  EXPECT_TRUE(Compact("revision: 8 physical: true").ok());
  EXPECT_TRUE(Range("key: 'k' revision: 8").ok());
  EXPECT_TRUE(Failed(Range("key: 'k' revision: 7"), kErrCompacted));
}

// ---- what is refused, and with which words

TEST_F(ServiceTest, RequestsThatMakeNoSense) {
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

TEST_F(ServiceTest, RequestsThatTheStateRefuses) {
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

TEST_F(ServiceTest, RequestsThatAreTooLarge) {
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

TEST_F(ServiceTest, WritesThatCameToNothing) {
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

TEST_F(ServiceTest, ReadsThatCouldNotBeConfirmed) {
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

TEST_F(ServiceTest, ClientsMayInsistOnALeader) {
  const auto insist = [](Call& call) { call.context.AddMetadata("hasleader", "true"); };
  replica_->SetLeader(kNoNode);
  {
    Call call;
    insist(call);
    PutResponse response;
    EXPECT_TRUE(
        Failed(kv_->Put(&call.context, Parse<PutRequest>("key: 'k'"), &response), kErrNoLeader));
  }
  {
    Call call;
    insist(call);
    RangeResponse response;
    EXPECT_TRUE(Failed(
        kv_->Range(&call.context, Parse<RangeRequest>("key: 'k' serializable: true"), &response),
        kErrNoLeader));
  }
  EXPECT_TRUE(Range("key: 'k' serializable: true").ok()) << "this one does not insist";
  replica_->SetLeader(kPeer);
  {
    Call call;
    insist(call);
    PutResponse response;
    EXPECT_TRUE(kv_->Put(&call.context, Parse<PutRequest>("key: 'k'"), &response).ok());
  }
}

TEST_F(ServiceTest, TheSoonerDeadlineCounts) {
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

// ---- maintenance

TEST_F(ServiceTest, StatusHasEverything) {
  ASSERT_TRUE(Put("key: 'k'").ok());
  replica_->SetTerm(Term{5});
  replica_->SetFollowers(
      {{.node = kPeer,
        .match = LogIndex{1},
        .last_contact_age = absl::Milliseconds(40),
        .lag_entries = 3,
        .lag_bytes = 900,
        .lag_age = absl::Milliseconds(1500),
        .gets_snapshot = true},
       {.node = NodeId{0xa3}, .match = LogIndex{0}, .last_contact_age = absl::InfiniteDuration()}});
  StatusResponse status;
  ASSERT_TRUE(maintenance_->Status(Call().get(), StatusRequest(), &status).ok());
  EXPECT_EQ(status.header().cluster_id(), kCluster.value());
  EXPECT_EQ(status.header().member_id(), kSelf.value());
  EXPECT_EQ(status.header().revision(), 2);
  EXPECT_EQ(status.header().raft_term(), 5u);
  EXPECT_EQ(status.version(), "3.7.0");
  EXPECT_EQ(status.pontoon_version(), "0.1.0");
  EXPECT_EQ(status.storageversion(), "3.7.0");
  EXPECT_GT(status.dbsize(), 0);
  EXPECT_GT(status.dbsizeinuse(), 0);
  EXPECT_EQ(status.leader(), kSelf.value());
  EXPECT_EQ(status.raftindex(), 1u);
  EXPECT_EQ(status.last_log_index(), 1u);
  EXPECT_EQ(status.raftappliedindex(), 1u);
  EXPECT_EQ(status.raftterm(), 5u);
  EXPECT_FALSE(status.islearner());
  EXPECT_EQ(status.role(), pontoon::v1::LEADER);
  EXPECT_EQ(status.log_bytes(), 4711);  // what others add
  EXPECT_TRUE(status.has_downgradeinfo());
  EXPECT_THAT(status.errors(), IsEmpty());
  ASSERT_EQ(status.followers_size(), 2);
  EXPECT_EQ(status.followers(0).member_id(), kPeer.value());
  EXPECT_EQ(status.followers(0).match_index(), 1u);
  EXPECT_EQ(status.followers(0).last_contact_age_ms(), 40);
  EXPECT_EQ(status.followers(0).lag_entries(), 3u);
  EXPECT_EQ(status.followers(0).lag_bytes(), 900u);
  EXPECT_EQ(status.followers(0).lag_age_ms(), 1500);
  EXPECT_TRUE(status.followers(0).gets_snapshot());
  EXPECT_EQ(status.followers(1).last_contact_age_ms(), -1);
}

TEST_F(ServiceTest, StatusIsGivenWithoutALeader) {
  replica_->SetLeader(kNoNode);
  StatusResponse status;
  ASSERT_TRUE(maintenance_->Status(Call().get(), StatusRequest(), &status).ok());
  EXPECT_EQ(status.leader(), 0u);
  EXPECT_THAT(status.errors(), ElementsAre("etcdserver: no leader"));
}

TEST_F(ServiceTest, TheLeaderIsMoved) {
  EXPECT_TRUE(MoveLeader(kSelf).ok()) << "nothing is to be done";
  EXPECT_EQ(replica_->Status().leader, kSelf);
  EXPECT_TRUE(MoveLeader(kPeer).ok());
  EXPECT_EQ(replica_->Status().leader, kPeer);
  EXPECT_TRUE(Failed(MoveLeader(kPeer), kErrNotLeader));
  EXPECT_TRUE(Failed(MoveLeader(NodeId{0xbad}), kErrNotLeader));
}

TEST_F(ServiceTest, OnlyAVoterBecomesLeader) {
  Membership membership = SelfAndPeer();
  membership.voters = {kSelf};
  membership.learners = {kPeer};
  replica_->SetMembership(membership);
  for (const NodeId target : {kPeer, NodeId{0xbad}, kNoNode}) {
    EXPECT_TRUE(Failed(MoveLeader(target), kErrBadLeaderTransferee)) << target;
  }
  EXPECT_EQ(replica_->Status().leader, kSelf);
}

TEST_F(ServiceTest, AMoveOfTheLeaderMayFail) {
  const std::pair<absl::Status, ApiError> cases[] = {
      {absl::FailedPreconditionError("x"), kErrNotLeader},
      {absl::NotFoundError("x"), kErrBadLeaderTransferee},
      {absl::AbortedError("x"), kErrLeaderChanged},
      {absl::DeadlineExceededError("x"), kErrTimeoutLeaderTransfer},
      {absl::UnavailableError("x"), kErrStopped}};
  for (const auto& [error, expected] : cases) {
    replica_->FailNextTransfer(error);
    EXPECT_TRUE(Failed(MoveLeader(kPeer), expected)) << error;
  }
}

// ---- cluster

TEST_F(ServiceTest, MembersAreListed) {
  Membership membership = SelfAndPeer();
  membership.voters = {kSelf};
  membership.learners = {kPeer};
  replica_->SetMembership(membership);
  const int barriers = replica_->barriers();
  MemberListResponse list;
  ASSERT_TRUE(cluster_->MemberList(Call().get(), MemberListRequest(), &list).ok());
  EXPECT_EQ(replica_->barriers(), barriers);
  EXPECT_EQ(list.header().cluster_id(), kCluster.value());
  EXPECT_EQ(list.header().revision(), 0) << "as in etcd, cluster calls have none";
  ASSERT_EQ(list.members_size(), 2);
  EXPECT_EQ(list.members(0).id(), kSelf.value());
  EXPECT_EQ(list.members(0).name(), "a");
  EXPECT_THAT(list.members(0).peerurls(), ElementsAre("http://a:2380"));
  EXPECT_THAT(list.members(0).clienturls(), ElementsAre("http://a:2379"));
  EXPECT_FALSE(list.members(0).islearner());
  EXPECT_TRUE(list.members(1).islearner());
  EXPECT_THAT(list.members(1).clienturls(), IsEmpty());

  ASSERT_TRUE(
      cluster_->MemberList(Call().get(), Parse<MemberListRequest>("linearizable: true"), &list)
          .ok());
  EXPECT_EQ(replica_->barriers(), barriers + 1);
}

TEST_F(ServiceTest, MemberListMayNeedALeader) {
  replica_->SetLeader(kNoNode);
  replica_->FailNextBarrier(absl::DeadlineExceededError("x"));
  MemberListResponse list;
  EXPECT_TRUE(Failed(
      cluster_->MemberList(Call().get(), Parse<MemberListRequest>("linearizable: true"), &list),
      kErrNoLeader));
}

// Whose ids, and which of them are learners, as in "a1 a2 learner".
std::string Ids(const google::protobuf::RepeatedPtrField<etcdserverpb::Member>& members) {
  std::vector<std::string> ids;
  for (const auto& member : members) {
    ids.push_back(absl::StrCat(absl::Hex(member.id()), member.islearner() ? " learner" : ""));
  }
  return absl::StrJoin(ids, " ");
}

TEST_F(ServiceTest, AMemberIsAddedAsALearnerWhateverItIsToBe) {
  MemberAddResponse added;
  ASSERT_TRUE(cluster_
                  ->MemberAdd(Call().get(),
                              Parse<MemberAddRequest>("peerURLs: 'http://c:2380/' "
                                                      "peerURLs: 'http://d:2380'"),
                              &added)
                  .ok());
  EXPECT_EQ(added.header().cluster_id(), kCluster.value());
  EXPECT_EQ(added.header().revision(), 0);
  EXPECT_EQ(added.member().name(), "");
  EXPECT_THAT(added.member().peerurls(), ElementsAre("http://c:2380", "http://d:2380"));
  EXPECT_FALSE(added.member().islearner()) << "as what it was added";
  ASSERT_EQ(added.members_size(), 3);
  for (const auto& member : added.members()) {
    EXPECT_EQ(member.islearner(), member.id() == added.member().id()) << "what it is now";
  }
  Membership membership = replica_->Status().membership;
  EXPECT_THAT(membership.learners, ElementsAre(NodeId(added.member().id())));
  EXPECT_EQ(membership.joining, membership.learners);

  MemberAddResponse learner;
  ASSERT_TRUE(cluster_
                  ->MemberAdd(Call().get(),
                              Parse<MemberAddRequest>("peerURLs: 'http://e:2380' isLearner: true"),
                              &learner)
                  .ok());
  EXPECT_TRUE(learner.member().islearner());
  EXPECT_EQ(learner.members_size(), 4);
  membership = replica_->Status().membership;
  EXPECT_TRUE(membership.IsLearner(NodeId(learner.member().id())));
  EXPECT_THAT(membership.joining, ElementsAre(NodeId(added.member().id()))) << "not the second";
}

TEST_F(ServiceTest, AnIdIsNeverUsedTwice) {
  const auto request = Parse<MemberAddRequest>("peerURLs: 'http://c:2380'");
  MemberAddResponse first;
  ASSERT_TRUE(cluster_->MemberAdd(Call().get(), request, &first).ok());
  MemberRemoveRequest remove;
  remove.set_id(first.member().id());
  MemberRemoveResponse removed;
  ASSERT_TRUE(cluster_->MemberRemove(Call().get(), remove, &removed).ok());
  MemberAddResponse second;
  ASSERT_TRUE(cluster_->MemberAdd(Call().get(), request, &second).ok());
  EXPECT_NE(second.member().id(), first.member().id());
}

TEST_F(ServiceTest, MembersAreRemovedPromotedAndMoved) {
  Membership membership = SelfAndPeer();
  membership.learners = {NodeId{0xa3}};
  membership.peer_urls[NodeId{0xa3}] = {"http://c:2380"};
  replica_->SetMembership(membership);

  MemberPromoteResponse promoted;
  ASSERT_TRUE(
      cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 0xa3"), &promoted)
          .ok());
  EXPECT_EQ(Ids(promoted.members()), "a1 a2 a3");
  MemberUpdateResponse updated;
  ASSERT_TRUE(
      cluster_
          ->MemberUpdate(Call().get(),
                         Parse<MemberUpdateRequest>("ID: 0xa3 peerURLs: 'http://elsewhere:1'"),
                         &updated)
          .ok());
  EXPECT_THAT(updated.members(2).peerurls(), ElementsAre("http://elsewhere:1"));
  MemberRemoveResponse removed;
  ASSERT_TRUE(
      cluster_->MemberRemove(Call().get(), Parse<MemberRemoveRequest>("ID: 0xa2"), &removed).ok());
  EXPECT_EQ(Ids(removed.members()), "a1 a3");
  EXPECT_EQ(removed.header().member_id(), kSelf.value());
}

TEST_F(ServiceTest, AJointConfigurationIsListedAsWhatItLeadsTo) {
  Membership membership = SelfAndPeer();
  membership.voters = {kSelf};
  membership.outgoing = {kSelf, kPeer};
  replica_->SetMembership(membership);
  MemberListResponse list;
  ASSERT_TRUE(cluster_->MemberList(Call().get(), MemberListRequest(), &list).ok());
  EXPECT_EQ(Ids(list.members()), "a1");
}

TEST_F(ServiceTest, ChangesThatMakeNoSense) {
  const auto add = [this](const std::string& request) {
    MemberAddResponse response;
    return cluster_->MemberAdd(Call().get(), Parse<MemberAddRequest>(request), &response);
  };
  EXPECT_TRUE(Failed(add(""), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'c:2380'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://0.0.0.0:2380'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://[::]:2380'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://" + std::string(kPeerUrlBytesMax, 'c') + ":1'"),
                     kErrMemberBadURLs));
  const auto many = [](int count) {
    std::string urls;
    for (int i = 0; i < count; ++i) absl::StrAppend(&urls, "peerURLs: 'http://m", i, ":1' ");
    return urls;
  };
  EXPECT_TRUE(Failed(add(many(1025)), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add(many(kPeerUrlsMax + 1)), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://c:2380/path'"), kErrMemberBadURLs));
  EXPECT_TRUE(
      Failed(add("peerURLs: 'http://c:2380' peerURLs: 'http://c:2380/'"), kErrMemberBadURLs));
  EXPECT_TRUE(Failed(add("peerURLs: 'http://b:2380'"), kErrPeerURLExist));

  MemberUpdateResponse update;
  const auto urls = Parse<MemberUpdateRequest>("ID: 0xa1 peerURLs: 'http://b:2380'");
  EXPECT_TRUE(Failed(cluster_->MemberUpdate(Call().get(), urls, &update), kErrPeerURLExist));
  EXPECT_TRUE(
      Failed(cluster_->MemberUpdate(Call().get(), Parse<MemberUpdateRequest>("ID: 0xa1"), &update),
             kErrMemberBadURLs));
  EXPECT_TRUE(
      Failed(cluster_->MemberUpdate(
                 Call().get(), Parse<MemberUpdateRequest>("ID: 9 peerURLs: 'http://z:1'"), &update),
             kErrMemberNotFound));
  MemberRemoveResponse remove;
  EXPECT_TRUE(
      Failed(cluster_->MemberRemove(Call().get(), Parse<MemberRemoveRequest>("ID: 9"), &remove),
             kErrMemberNotFound));
  MemberPromoteResponse promote;
  EXPECT_TRUE(
      Failed(cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 9"), &promote),
             kErrMemberNotFound));
  EXPECT_TRUE(Failed(
      cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 0xa2"), &promote),
      kErrMemberNotLearner));
  EXPECT_EQ(replica_->Status().membership, SelfAndPeer());
}

TEST_F(ServiceTest, ChangesThatTheLeaderRefuses) {
  const auto promote_after = [this](raft::ChangeOutcome outcome) {
    replica_->FailNextChange(outcome);
    MemberPromoteResponse response;
    return cluster_->MemberPromote(Call().get(), Parse<MemberPromoteRequest>("ID: 0xa2"),
                                   &response);
  };
  const auto remove_after = [this](raft::ChangeOutcome outcome) {
    replica_->FailNextChange(outcome);
    MemberRemoveResponse response;
    return cluster_->MemberRemove(Call().get(), Parse<MemberRemoveRequest>("ID: 0xa2"), &response);
  };
  EXPECT_TRUE(Failed(promote_after(ChangeRefusal::kLearnerBehind), kErrLearnerNotReady));
  EXPECT_TRUE(Failed(promote_after(ChangeRefusal::kQuorumAtRisk), kErrMemberNotEnoughStarted));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kQuorumAtRisk), kErrUnhealthy));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kNoVoterLeft), kErrMemberNotEnoughStarted));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kAlreadyMember), kErrMemberExist));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kNoLeader), kErrNoLeader));
  EXPECT_TRUE(Failed(remove_after(ChangeRefusal::kBusy), kErrUnhealthy));
  EXPECT_TRUE(Failed(remove_after(raft::ChangeUnknown()), kErrTimeout));
  replica_->SetLeader(kNoNode);
  EXPECT_TRUE(Failed(remove_after(raft::ChangeUnknown()), kErrTimeoutDueToLeaderFail));
  EXPECT_EQ(replica_->Status().membership, SelfAndPeer());
}

// The answer to an empty request to any method at all.
grpc::Status CallByName(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(nullptr, 0), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  return status;
}

TEST_F(ServiceTest, CallsOfOtherServicesAreNamed) {
  AuthEnableResponse auth;
  EXPECT_TRUE(
      NotOffered(Auth::NewStub(channel_)->AuthEnable(Call().get(), AuthEnableRequest(), &auth),
                 "Auth.AuthEnable"));
  EXPECT_TRUE(NotOffered(CallByName(channel_, "/v3lockpb.Lock/TryLock"), "Lock.TryLock"));
  EXPECT_TRUE(NotOffered(CallByName(channel_, "/etcdserverpb.KV/Increment"), "KV.Increment"));
  EXPECT_TRUE(NotOffered(CallByName(channel_, "/nonsense"), "nonsense"));
}

TEST_F(ServiceTest, AStreamOfAnotherServiceEndsAtOnce) {
  Call call;
  const auto stub = Watch::NewStub(channel_);
  const auto watch = stub->Watch(call.get());
  WatchResponse response;
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_TRUE(NotOffered(watch->Finish(), "Watch.Watch"));
}

}  // namespace
}  // namespace pontoon::kv
