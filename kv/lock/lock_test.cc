// The Lock and Election services as clients see them: over gRPC, in front of a real store, behind a
// replica that applies at once what it is given.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "kv/errors.h"
#include "kv/lease/lease_keeper.h"
#include "kv/lease/lease_service.h"
#include "kv/lock/election_service.h"
#include "kv/lock/lock_service.h"
#include "kv/read/read_gate.h"
#include "kv/service/client_server.h"
#include "kv/service/kv_service.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/instant_replica.h"
#include "proto/rpc.grpc.pb.h"
#include "proto/v3election.grpc.pb.h"
#include "proto/v3lock.grpc.pb.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test
using namespace v3electionpb;  // NOLINT
using v3lockpb::LockRequest;
using v3lockpb::LockResponse;
using v3lockpb::UnlockRequest;
using v3lockpb::UnlockResponse;

constexpr ClusterId kCluster{0xc1};
constexpr NodeId kSelf{0xa1};
constexpr absl::Duration kLeaderLooks = absl::Milliseconds(20);  // the time between two

// A call under way, of which the test waits for the end.
template <typename Request, typename Response>
struct Pending {
  Call call;
  Request request;
  Response response;
  grpc::Status status;
  absl::Notification done;

  explicit Pending(const std::string& text) : request(Parse<Request>(text)) {}

  // What gRPC calls at the end of the call; this must outlive that.
  std::function<void(grpc::Status)> Callback() {
    return [this](grpc::Status end) {
      status = std::move(end);
      done.Notify();
    };
  }
  const grpc::Status& Wait() {
    done.WaitForNotification();
    return status;
  }
};
using PendingLock = Pending<LockRequest, LockResponse>;
using PendingCampaign = Pending<CampaignRequest, CampaignResponse>;

class LockTest : public testing::Test {
 protected:
  LockTest() {
    store_ = OpenFreshStore();
    replica_ = std::make_unique<InstantReplica>(kSelf, store_.get());
    member_ = std::make_unique<Member>(Member::Options{kCluster}, replica_.get(), Clock::System());
    gate_ =
        std::make_unique<ReadGate>(ReadGate::Parts{replica_.get(), store_.get(), Clock::System()},
                                   NewThreadExecutor("revisions"));
    reads_ = std::make_unique<ReadLane>(store_.get(), replica_.get(), NewThreadExecutor("reads"));
    granter_ = std::make_unique<LeaseGranter>(member_.get(), LeaseGranter::Options{.seed = 1});
    executor_ = NewThreadExecutor("locks");
    changes_ = std::make_unique<ChangeWaiter>(store_.get(), executor_.get());
    const QueueParts parts{member_.get(), granter_.get(), changes_.get()};
    lock_service_ = std::make_unique<LockService>(parts);
    leader_monitor_ = std::make_unique<LeaderMonitor>(
        [this] { return replica_->CurrentLeadership().leader != kNoNode; }, Clock::System(),
        executor_.get(), kLeaderLooks);
    election_service_ =
        std::make_unique<ElectionService>(parts, reads_.get(), leader_monitor_.get());
    kv_service_ = std::make_unique<KvService>(
        KvService::Parts{member_.get(), store_.get(), gate_.get(), reads_.get(), reads_.get()},
        RequestLimits());
    // Without renewals.
    lease_service_ = std::make_unique<LeaseService>(LeaseService::Parts{
        member_.get(), store_.get(), granter_.get(), nullptr, reads_.get(), nullptr});
    auto server = StartClientServer(
        ClientServerOptions(),
        {lock_service_.get(), election_service_.get(), kv_service_.get(), lease_service_.get()});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
    lock_ = v3lockpb::Lock::NewStub(channel_);
    election_ = Election::NewStub(channel_);
    kv_ = KV::NewStub(channel_);
    lease_ = Lease::NewStub(channel_);
    Grant(0xa);
    Grant(0xb);
    Grant(0xc);
  }
  ~LockTest() override {
    server_->Shutdown(std::chrono::system_clock::now());
    changes_->Close();
    executor_.reset();
    replica_.reset();  // its thread uses the store
  }

  void Grant(int64_t id) {
    LeaseGrantRequest request;
    request.set_id(id);
    request.set_ttl(600);
    LeaseGrantResponse response;
    const grpc::Status status = lease_->LeaseGrant(Call().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  void Revoke(int64_t id) {
    LeaseRevokeRequest request;
    request.set_id(id);
    LeaseRevokeResponse response;
    const grpc::Status status = lease_->LeaseRevoke(Call().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  grpc::Status Lock(const std::string& request, LockResponse* response) {
    return lock_->Lock(Call().get(), Parse<LockRequest>(request), response);
  }
  std::unique_ptr<PendingLock> BeginLock(const std::string& request) {
    auto pending = std::make_unique<PendingLock>(request);
    lock_->async()->Lock(pending->call.get(), &pending->request, &pending->response,
                         pending->Callback());
    return pending;
  }
  grpc::Status Unlock(const std::string& key, UnlockResponse* response) {
    UnlockRequest request;
    request.set_key(key);
    return lock_->Unlock(Call().get(), request, response);
  }
  void Unlock(const std::string& key) {
    UnlockResponse response;
    const grpc::Status status = Unlock(key, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  grpc::Status Campaign(const std::string& request, CampaignResponse* response) {
    return election_->Campaign(Call().get(), Parse<CampaignRequest>(request), response);
  }
  std::unique_ptr<PendingCampaign> BeginCampaign(const std::string& request) {
    auto pending = std::make_unique<PendingCampaign>(request);
    election_->async()->Campaign(pending->call.get(), &pending->request, &pending->response,
                                 pending->Callback());
    return pending;
  }
  grpc::Status Proclaim(const ProclaimRequest& request) {
    ProclaimResponse response;
    return election_->Proclaim(Call().get(), request, &response);
  }
  grpc::Status Proclaim(const LeaderKey& leader, const std::string& value) {
    ProclaimRequest request;
    *request.mutable_leader() = leader;
    request.set_value(value);
    return Proclaim(request);
  }
  grpc::Status Resign(const LeaderKey& leader) {
    ResignRequest request;
    *request.mutable_leader() = leader;
    ResignResponse response;
    return election_->Resign(Call().get(), request, &response);
  }
  // What the leader has announced, or the error.
  std::string LeaderOf(const std::string& name) {
    LeaderRequest request;
    request.set_name(name);
    LeaderResponse response;
    const grpc::Status status = election_->Leader(Call().get(), request, &response);
    return status.ok() ? response.kv().value() : status.error_message();
  }

  RangeResponse Get(const std::string& key) {
    RangeRequest request;
    request.set_key(key);
    RangeResponse response;
    const grpc::Status status = kv_->Range(Call().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  bool Exists(const std::string& key) { return !Get(key).kvs().empty(); }
  // Waits until a key exists, or does not: what others do is seen here as soon as it is done.
  void AwaitKey(const std::string& key, bool exists) {
    class Awaiter final : public ChangeWaiter::Waiter {
     public:
      Awaiter(std::string key, bool exists) : key_(std::move(key)), exists_(exists) {}
      std::optional<std::string> Look(const ReadView& view) override {
        RangeRequest request;
        request.set_key(key_);
        RangeResponse response;
        EXPECT_TRUE(view.Range(request, &response).ok());
        if (response.kvs().empty() == exists_) return key_;
        seen.Notify();
        return std::nullopt;
      }
      absl::Notification seen;

     private:
      const std::string key_;
      const bool exists_;
    };
    const auto awaiter = std::make_shared<Awaiter>(key, exists);
    changes_->LookSoon(awaiter);
    ASSERT_TRUE(awaiter->seen.WaitForNotificationWithTimeout(absl::Seconds(30))) << key;
  }

  std::unique_ptr<KvStore> store_;
  std::unique_ptr<InstantReplica> replica_;
  std::unique_ptr<Member> member_;
  std::unique_ptr<ReadGate> gate_;
  std::unique_ptr<ReadLane> reads_;
  std::unique_ptr<LeaseGranter> granter_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<ChangeWaiter> changes_;
  std::unique_ptr<LockService> lock_service_;
  std::unique_ptr<LeaderMonitor> leader_monitor_;
  std::unique_ptr<ElectionService> election_service_;
  std::unique_ptr<KvService> kv_service_;
  std::unique_ptr<LeaseService> lease_service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v3lockpb::Lock::Stub> lock_;
  std::unique_ptr<Election::Stub> election_;
  std::unique_ptr<KV::Stub> kv_;
  std::unique_ptr<Lease::Stub> lease_;
};

// ---- locks

TEST_F(LockTest, AFreeLockIsTaken) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  EXPECT_EQ(response.key(), "n/a");
  EXPECT_EQ(response.header().revision(), 2);
  EXPECT_EQ(response.header().cluster_id(), kCluster.value());
  EXPECT_EQ(response.header().member_id(), kSelf.value());
  const RangeResponse key = Get("n/a");
  ASSERT_EQ(key.kvs_size(), 1);
  EXPECT_EQ(key.kvs(0).lease(), 0xa);
  EXPECT_EQ(key.kvs(0).value(), "");

  UnlockResponse unlocked;
  ASSERT_TRUE(Unlock("n/a", &unlocked).ok());
  EXPECT_EQ(unlocked.header().revision(), 3);
  EXPECT_EQ(unlocked.header().cluster_id(), kCluster.value());
  EXPECT_FALSE(Exists("n/a"));
}

TEST_F(LockTest, TheNextOneWaitsForItsTurn) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  const auto c = BeginLock("name: 'n' lease: 0xc");
  AwaitKey("n/c", true);
  EXPECT_FALSE(b->done.HasBeenNotified());
  Unlock("n/a");
  ASSERT_TRUE(b->Wait().ok()) << b->status.error_message();
  EXPECT_EQ(b->response.key(), "n/b");
  EXPECT_EQ(b->response.header().revision(), 5);
  EXPECT_FALSE(c->done.HasBeenNotified());
  Unlock("n/b");
  ASSERT_TRUE(c->Wait().ok()) << c->status.error_message();
}

TEST_F(LockTest, TheEndOfALeaseFreesTheLock) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  Revoke(0xa);
  EXPECT_TRUE(b->Wait().ok()) << b->status.error_message();
}

TEST_F(LockTest, WhoHasALockMayTakeItAgain) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  EXPECT_EQ(response.key(), "n/a");
  EXPECT_FALSE(b->done.HasBeenNotified());
  b->call.context.TryCancel();
  b->Wait();
}

TEST_F(LockTest, OtherLocksAreNotWaitedFor) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  EXPECT_TRUE(Lock("name: 'm' lease: 0xb", &response).ok());
  EXPECT_TRUE(Lock("name: 'n2' lease: 0xb", &response).ok());
}

TEST_F(LockTest, WithoutALeaseOneIsGranted) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n'", &response).ok());
  const RangeResponse key = Get(response.key());
  ASSERT_EQ(key.kvs_size(), 1);
  EXPECT_EQ(response.key(), absl::StrCat("n/", absl::Hex(key.kvs(0).lease())));
  const auto lease = ReadLease(store_->View()->records(), LeaseId(key.kvs(0).lease()));
  ASSERT_TRUE(lease.ok() && lease->has_value());
  EXPECT_EQ((*lease)->granted_ttl_seconds, 60);
}

TEST_F(LockTest, WhoGivesUpLeavesTheQueue) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  const auto c = BeginLock("name: 'n' lease: 0xc");
  AwaitKey("n/c", true);
  b->call.context.TryCancel();
  EXPECT_EQ(b->Wait().error_code(), grpc::StatusCode::CANCELLED);
  AwaitKey("n/b", false);
  EXPECT_FALSE(c->done.HasBeenNotified());
  Unlock("n/a");
  EXPECT_TRUE(c->Wait().ok()) << c->status.error_message();
}

TEST_F(LockTest, ASecondCallThatGivesUpLeavesThePlaceToTheFirst) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto first = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  const int proposals = replica_->proposals();
  const auto second = BeginLock("name: 'n' lease: 0xb");
  second->call.context.TryCancel();
  second->Wait();
  Unlock("n/a");
  EXPECT_TRUE(first->Wait().ok()) << first->status.error_message();
  EXPECT_LE(replica_->proposals() - proposals, 2) << "its entering, and the unlocking";
}

TEST_F(LockTest, ALeaseThatEndsWhileItsLockWaits) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  Revoke(0xb);
  Unlock("n/a");
  EXPECT_TRUE(Failed(b->Wait(), kErrSessionExpired));
}

TEST_F(LockTest, LocksThatAreRefused) {
  LockResponse response;
  EXPECT_TRUE(Failed(Lock("name: 'n' lease: 0xd", &response), kErrLeaseNotFound));
  UnlockResponse unlocked;
  EXPECT_TRUE(Failed(Unlock("", &unlocked), kErrEmptyKey));
  EXPECT_TRUE(Unlock("n/a", &unlocked).ok()) << "it is free, as was wanted";
  replica_->FailNextProposal(raft::NotApplied{raft::NotApplied::Reason::kNoLeader});
  EXPECT_TRUE(Failed(Lock("name: 'n' lease: 0xa", &response), kErrNoLeader));
  replica_->FailNextProposal(raft::NotApplied{raft::NotApplied::Reason::kOverloaded});
  EXPECT_TRUE(Failed(Lock("name: 'n'", &response), kErrRequestTooManyRequests));
}

TEST_F(LockTest, NoCallTakesAFence) {
  LockResponse lock;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &lock).ok());
  CampaignResponse leader;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &leader).ok());
  const int proposals = replica_->proposals();

  // Where no lease is named, one is granted.
  for (const char* const request : {"name: 'with' lease: 0xb", "name: 'without'"}) {
    LockResponse no_lock;
    EXPECT_TRUE(
        RefusedForItsFence(lock_->Lock(FencedCall().get(), Parse<LockRequest>(request), &no_lock)));
  }
  for (const char* const request : {"name: 'led with' lease: 0xb", "name: 'led without'"}) {
    CampaignResponse nobody;
    EXPECT_TRUE(RefusedForItsFence(
        election_->Campaign(FencedCall().get(), Parse<CampaignRequest>(request), &nobody)));
  }
  UnlockResponse unlocked;
  EXPECT_TRUE(RefusedForItsFence(
      lock_->Unlock(FencedCall().get(), Parse<UnlockRequest>("key: 'n/a'"), &unlocked)));
  ProclaimRequest proclaim;
  *proclaim.mutable_leader() = leader.leader();
  proclaim.set_value("2");
  ProclaimResponse proclaimed;
  EXPECT_TRUE(RefusedForItsFence(election_->Proclaim(FencedCall().get(), proclaim, &proclaimed)));
  ResignRequest resign;
  *resign.mutable_leader() = leader.leader();
  ResignResponse resigned;
  EXPECT_TRUE(RefusedForItsFence(election_->Resign(FencedCall().get(), resign, &resigned)));
  EXPECT_EQ(replica_->proposals(), proposals);

  LeaderRequest who;
  who.set_name("e");
  LeaderResponse reads;
  EXPECT_TRUE(election_->Leader(FencedCall().get(), who, &reads).ok()) << "it has nothing to fence";
}

TEST_F(LockTest, ATurnThatCannotBeConfirmedIsGivenUp) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  replica_->FailNextBarrier(absl::DeadlineExceededError("x"));
  Unlock("n/a");
  EXPECT_TRUE(Failed(b->Wait(), kErrTimeout));
  AwaitKey("n/b", false);
}

TEST_F(LockTest, AServerThatStopsLetsNobodyWait) {
  LockResponse response;
  ASSERT_TRUE(Lock("name: 'n' lease: 0xa", &response).ok());
  const auto b = BeginLock("name: 'n' lease: 0xb");
  AwaitKey("n/b", true);
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(b->Wait().ok());
}

TEST_F(LockTest, ClientsMayInsistOnALeader) {
  replica_->SetLeader(kNoNode);
  const int proposals = replica_->proposals();
  LockResponse lock;
  EXPECT_TRUE(Failed(lock_->Lock(InsistingCall().get(), LockRequest(), &lock), kErrNoLeader));
  UnlockResponse unlock;
  EXPECT_TRUE(
      Failed(lock_->Unlock(InsistingCall().get(), Parse<UnlockRequest>("key: 'n/a'"), &unlock),
             kErrNoLeader));
  CampaignResponse campaign;
  EXPECT_TRUE(Failed(election_->Campaign(InsistingCall().get(), CampaignRequest(), &campaign),
                     kErrNoLeader));
  LeaderResponse leader;
  EXPECT_TRUE(
      Failed(election_->Leader(InsistingCall().get(), LeaderRequest(), &leader), kErrNoLeader));
  InsistingCall call;
  auto stream = election_->Observe(call.get(), LeaderRequest());
  EXPECT_FALSE(stream->Read(&leader));
  EXPECT_TRUE(Failed(stream->Finish(), kErrNoLeader));
  EXPECT_EQ(replica_->proposals(), proposals);
}

// ---- elections

TEST_F(LockTest, WhoInsistsOnALeaderObservesOnlyWhileThereIsOne) {
  CampaignResponse campaign;
  ASSERT_TRUE(Campaign("name: 'n' lease: 0xa value: 'a'", &campaign).ok());
  InsistingCall insisting;
  Call content;
  const auto request = Parse<LeaderRequest>("name: 'n'");
  auto ended = election_->Observe(insisting.get(), request);
  auto kept = election_->Observe(content.get(), request);
  LeaderResponse response;
  ASSERT_TRUE(ended->Read(&response));
  ASSERT_TRUE(kept->Read(&response));
  replica_->SetLeader(kNoNode);
  EXPECT_FALSE(ended->Read(&response));
  EXPECT_TRUE(Failed(ended->Finish(), kErrNoLeader));
  replica_->SetLeader(kSelf);
  ASSERT_TRUE(Proclaim(campaign.leader(), "b").ok());
  ASSERT_TRUE(kept->Read(&response));
  EXPECT_EQ(response.kv().value(), "b");
  content.context.TryCancel();
  kept->Finish();
}

TEST_F(LockTest, TheOnlyCandidateIsElected) {
  CampaignResponse response;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: 'v'", &response).ok());
  EXPECT_EQ(response.leader().name(), "e");
  EXPECT_EQ(response.leader().key(), "e/a");
  EXPECT_EQ(response.leader().rev(), 2);
  EXPECT_EQ(response.leader().lease(), 0xa);
  EXPECT_EQ(response.header().cluster_id(), kCluster.value());
  EXPECT_EQ(LeaderOf("e"), "v");
  LeaderRequest request;
  request.set_name("e");
  LeaderResponse leader;
  ASSERT_TRUE(election_->Leader(Call().get(), request, &leader).ok());
  EXPECT_EQ(leader.kv().key(), "e/a");
  EXPECT_EQ(leader.kv().create_revision(), 2);
  EXPECT_EQ(leader.kv().lease(), 0xa);
  EXPECT_EQ(leader.header().revision(), 2);
  EXPECT_EQ(leader.header().member_id(), kSelf.value());
}

TEST_F(LockTest, WithoutCandidatesNobodyLeads) {
  EXPECT_EQ(LeaderOf("e"), "election: no leader");
  LeaderResponse leader;
  EXPECT_TRUE(
      Failed(election_->Leader(Call().get(), LeaderRequest(), &leader), kErrElectionNoLeader));
}

TEST_F(LockTest, WhoResignsMakesRoom) {
  CampaignResponse a;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &a).ok());
  const auto b = BeginCampaign("name: 'e' lease: 0xb value: '2'");
  AwaitKey("e/b", true);
  EXPECT_EQ(LeaderOf("e"), "1");
  EXPECT_TRUE(Resign(a.leader()).ok());
  ASSERT_TRUE(b->Wait().ok()) << b->status.error_message();
  EXPECT_EQ(b->response.leader().key(), "e/b");
  EXPECT_EQ(LeaderOf("e"), "2");
  EXPECT_TRUE(Resign(a.leader()).ok()) << "it is the same when it was over before";
  EXPECT_EQ(LeaderOf("e"), "2");
}

TEST_F(LockTest, OnlyTheLeaderProclaims) {
  CampaignResponse a;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &a).ok());
  EXPECT_TRUE(Proclaim(a.leader(), "2").ok());
  EXPECT_EQ(LeaderOf("e"), "2");
  EXPECT_EQ(Get("e/a").kvs(0).lease(), 0xa);
  LeaderKey without_lease = a.leader();
  without_lease.clear_lease();
  EXPECT_TRUE(Proclaim(without_lease, "3").ok());
  EXPECT_EQ(Get("e/a").kvs(0).lease(), 0xa) << "the lease stays";
  LeaderKey other = a.leader();
  other.set_rev(99);
  EXPECT_TRUE(Failed(Proclaim(other, "4"), kErrElectionNotLeader));
  EXPECT_TRUE(Resign(other).ok());
  EXPECT_EQ(LeaderOf("e"), "3");
  EXPECT_TRUE(Resign(a.leader()).ok());
  EXPECT_TRUE(Failed(Proclaim(a.leader(), "5"), kErrElectionNotLeader));
}

TEST_F(LockTest, ALeaderMustBeNamed) {
  EXPECT_TRUE(Failed(Proclaim(ProclaimRequest()), kErrNoLeaderKey));
  ResignResponse response;
  EXPECT_TRUE(Failed(election_->Resign(Call().get(), ResignRequest(), &response), kErrNoLeaderKey));
}

TEST_F(LockTest, ALeaderThatCampaignsAgainChangesItsValue) {
  CampaignResponse response;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &response).ok());
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '2'", &response).ok());
  EXPECT_EQ(response.leader().rev(), 2);
  EXPECT_EQ(LeaderOf("e"), "2");
  const int64_t revision = response.header().revision();
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '2'", &response).ok());
  EXPECT_EQ(response.header().revision(), revision) << "there is nothing to change";
  LockResponse lock;
  ASSERT_TRUE(Lock("name: 'e' lease: 0xa", &lock).ok());
  EXPECT_EQ(LeaderOf("e"), "2") << "a lock has no value to set";
}

TEST_F(LockTest, ACandidateWhoseLeaseEndsIsNotElected) {
  CampaignResponse a;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &a).ok());
  const auto b = BeginCampaign("name: 'e' lease: 0xb value: '2'");
  AwaitKey("e/b", true);
  Revoke(0xb);
  EXPECT_TRUE(Resign(a.leader()).ok());
  EXPECT_TRUE(Failed(b->Wait(), kErrElectionNotLeader));
}

TEST_F(LockTest, AnObserverHearsOfEachLeader) {
  Call call;
  LeaderRequest request;
  request.set_name("e");
  auto stream = election_->Observe(call.get(), request);
  CampaignResponse a;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &a).ok());
  LeaderResponse response;
  ASSERT_TRUE(stream->Read(&response)) << "there was no leader when it began";
  EXPECT_EQ(response.kv().key(), "e/a");
  EXPECT_EQ(response.kv().value(), "1");
  EXPECT_EQ(response.header().member_id(), kSelf.value());
  ASSERT_TRUE(Proclaim(a.leader(), "2").ok());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.kv().value(), "2");
  const auto b = BeginCampaign("name: 'e' lease: 0xb value: '3'");
  AwaitKey("e/b", true);
  Revoke(0xa);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.kv().key(), "e/b") << "the candidate that waits is not told of before";
  EXPECT_EQ(response.kv().value(), "3");
  EXPECT_TRUE(b->Wait().ok());
  call.context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(LockTest, AnObserverIsToldWhoLeadsAlready) {
  CampaignResponse a;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '1'", &a).ok());
  Call call;
  LeaderRequest request;
  request.set_name("e");
  auto stream = election_->Observe(call.get(), request);
  LeaderResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.kv().value(), "1");
}

// What it has not read it does not get any more, once there is something newer.
TEST_F(LockTest, ASlowObserverGetsTheLatest) {
  CampaignResponse a;
  ASSERT_TRUE(Campaign("name: 'e' lease: 0xa value: '0'", &a).ok());
  Call call;
  LeaderRequest request;
  request.set_name("e");
  auto stream = election_->Observe(call.get(), request);
  LeaderResponse response;
  ASSERT_TRUE(stream->Read(&response));
  constexpr int kValues = 1000;
  for (int i = 1; i <= kValues; ++i) {
    ASSERT_TRUE(Proclaim(a.leader(), absl::StrCat(i)).ok());
  }
  int told = 0;
  do {
    ASSERT_TRUE(stream->Read(&response));
    ++told;
  } while (response.kv().value() != absl::StrCat(kValues));
  EXPECT_LT(told, kValues / 2);
}

}  // namespace
}  // namespace pontoon::kv
