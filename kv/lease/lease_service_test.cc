// The Lease service as clients see it: over gRPC, in front of a real store and lessor, on a leader
// and on a follower.

#include "kv/lease/lease_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "kv/errors.h"
#include "kv/lease/lessor_service.h"
#include "kv/lease/renewal_stream.h"
#include "kv/maintenance/alarm_raiser.h"
#include "kv/maintenance/store_quota.h"
#include "kv/read/read_gate.h"
#include "kv/service/client_server.h"
#include "kv/service/kv_service.h"
#include "kv/service/testing/calls.h"
#include "kv/service/testing/instant_replica.h"
#include "proto/rpc.grpc.pb.h"
#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

using namespace etcdserverpb;  // NOLINT: the vocabulary of this test
using testing::ElementsAre;
using testing::IsEmpty;

constexpr ClusterId kCluster{0xc1};
constexpr NodeId kSelf{0xa1};
constexpr NodeId kPeer{0xa2};
constexpr uint64_t kSeed = 7;
// Of calls that nobody answers.
constexpr absl::Duration kCallTimeout = absl::Milliseconds(400);
constexpr absl::Duration kLeaderLooks = absl::Milliseconds(20);  // the time between two

// A member: its store, and all that keeps the time of leases. It leads until it is told otherwise.
struct TestMember {
  TestMember(NodeId self, const std::string& name) {
    store = OpenFreshStore({}, name);
    replica = std::make_unique<InstantReplica>(self, store.get());
    member = std::make_unique<Member>(Member::Options{kCluster, kCallTimeout}, replica.get(),
                                      Clock::System());
    gate = std::make_unique<ReadGate>(ReadGate::Parts{replica.get(), store.get(), Clock::System()},
                                      NewThreadExecutor("revisions"));
    reads = std::make_unique<ReadLane>(store.get(), replica.get(), NewThreadExecutor("reads"));
    executor = NewThreadExecutor("lessor");
    lessor = std::make_unique<Lessor>(
        Lessor::Parts{replica.get(), store.get(), Clock::System(), executor.get()},
        Lessor::Options());
    keeper = std::make_unique<LeaseKeeper>(
        LeaseKeeper::Parts{replica.get(), lessor.get(), Clock::System(), executor.get()},
        LeaseKeeper::Options{.retry_interval = absl::Milliseconds(20)});
    granter = std::make_unique<LeaseGranter>(member.get(), LeaseGranter::Options{.seed = kSeed});
    leader_monitor = std::make_unique<LeaderMonitor>(
        [this] { return replica->CurrentLeadership().leader != kNoNode; }, Clock::System(),
        executor.get(), kLeaderLooks);
    service = std::make_unique<LeaseService>(LeaseService::Parts{
        member.get(), store.get(), granter.get(), keeper.get(), reads.get(), leader_monitor.get()});
    kv_service = std::make_unique<KvService>(
        KvService::Parts{member.get(), store.get(), gate.get(), reads.get(), reads.get()},
        RequestLimits());
  }
  ~TestMember() {
    keeper->Close();
    lessor->Close();
    executor.reset();
    replica.reset();  // its thread uses the store
  }

  std::unique_ptr<KvStore> store;
  std::unique_ptr<InstantReplica> replica;
  std::unique_ptr<Member> member;
  std::unique_ptr<ReadGate> gate;
  std::unique_ptr<ReadLane> reads;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Lessor> lessor;
  std::unique_ptr<LeaseKeeper> keeper;
  std::unique_ptr<LeaderMonitor> leader_monitor;
  std::unique_ptr<LeaseGranter> granter;
  std::unique_ptr<LeaseService> service;
  std::unique_ptr<KvService> kv_service;
};

// Calls of one member's services.
class TestClient {
 public:
  explicit TestClient(const TestMember& member) {
    auto server =
        StartClientServer(ClientServerOptions(), {member.service.get(), member.kv_service.get()});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = server_->InProcessChannel(grpc::ChannelArguments());
    lease = Lease::NewStub(channel_);
    kv = KV::NewStub(channel_);
  }
  ~TestClient() { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status Grant(const std::string& request, LeaseGrantResponse* response) {
    return lease->LeaseGrant(Call().get(), Parse<LeaseGrantRequest>(request), response);
  }
  grpc::Status Grant(const std::string& request) {
    LeaseGrantResponse response;
    return Grant(request, &response);
  }
  grpc::Status Revoke(int64_t id) {
    LeaseRevokeRequest request;
    request.set_id(id);
    LeaseRevokeResponse response;
    return lease->LeaseRevoke(Call().get(), request, &response);
  }
  grpc::Status TimeToLive(const std::string& request, LeaseTimeToLiveResponse* response) {
    return lease->LeaseTimeToLive(Call().get(), Parse<LeaseTimeToLiveRequest>(request), response);
  }
  grpc::Status Leases(LeaseLeasesResponse* response) {
    return lease->LeaseLeases(Call().get(), LeaseLeasesRequest(), response);
  }
  grpc::Status Put(const std::string& request) {
    PutResponse response;
    return kv->Put(Call().get(), Parse<PutRequest>(request), &response);
  }
  // Renews on a stream of its own; `ttl` is -9 if there was no answer.
  grpc::Status Renew(int64_t id, int64_t* ttl) {
    Call call;
    auto stream = lease->LeaseKeepAlive(call.get());
    LeaseKeepAliveRequest request;
    request.set_id(id);
    stream->Write(request);
    stream->WritesDone();
    LeaseKeepAliveResponse response;
    *ttl = stream->Read(&response) ? response.ttl() : -9;
    return stream->Finish();
  }

  std::unique_ptr<Lease::Stub> lease;
  std::unique_ptr<KV::Stub> kv;

 private:
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

class LeaseServiceTest : public testing::Test {
 protected:
  TestMember m_{kSelf, "self"};
  TestClient c_{m_};
};

// ---- grants and revocations

TEST_F(LeaseServiceTest, GrantsWhatIsWanted) {
  m_.replica->SetTerm(Term{5});
  LeaseGrantResponse response;
  ASSERT_TRUE(c_.Grant("ID: 17 TTL: 60", &response).ok());
  EXPECT_EQ(response.id(), 17);
  EXPECT_EQ(response.ttl(), 60);
  EXPECT_EQ(response.header().cluster_id(), kCluster.value());
  EXPECT_EQ(response.header().member_id(), kSelf.value());
  EXPECT_EQ(response.header().raft_term(), 5u);
  EXPECT_EQ(response.header().revision(), 1);
  ASSERT_TRUE(c_.Grant("ID: -17 TTL: 9000000000", &response).ok());
  EXPECT_EQ(response.id(), -17);
  EXPECT_EQ(response.ttl(), 9'000'000'000);
}

TEST_F(LeaseServiceTest, NothingIsGrantedWhereTheQuotaIsReached) {
  AlarmRaiser alarms(m_.replica.get(), Clock::System());
  StoreQuota quota(m_.store.get(), &alarms, /*bytes=*/1);
  LeaseGranter granter(m_.member.get(), {.quota = &quota});
  absl::Status granted;
  granter.Grant(LeaseGrantRequest(), Clock::System()->Now() + absl::Seconds(30),
                [&](absl::StatusOr<LeaseGrantResponse> response) { granted = response.status(); });
  EXPECT_TRUE(Is(granted, kErrNoSpace)) << granted;
}

TEST_F(LeaseServiceTest, ShortTtlsAreRaised) {
  for (const char* const ttl : {"-1", "0", "1"}) {
    LeaseGrantResponse response;
    ASSERT_TRUE(c_.Grant(absl::StrCat("TTL: ", ttl), &response).ok());
    EXPECT_EQ(response.ttl(), 2) << "one and a half election timeouts, rounded up";
  }
}

TEST_F(LeaseServiceTest, ChoosesPositiveIdsThatAreNotInUse) {
  const auto id_of = [](uint64_t bits) {
    return static_cast<int64_t>(bits & std::numeric_limits<int64_t>::max());
  };
  Prng prng(kSeed);
  const int64_t first = id_of(prng.Next());
  const int64_t second = id_of(prng.Next());
  ASSERT_TRUE(c_.Grant(absl::StrCat("TTL: 60 ID: ", first)).ok());
  LeaseGrantResponse response;
  ASSERT_TRUE(c_.Grant("TTL: 60", &response).ok());
  EXPECT_EQ(response.id(), second);
  EXPECT_GT(response.id(), 0);
}

TEST_F(LeaseServiceTest, GrantsThatAreRefused) {
  EXPECT_TRUE(Failed(c_.Grant("ID: 1 TTL: 9000000001"), kErrLeaseTTLTooLarge));
  EXPECT_EQ(m_.replica->proposals(), 0);
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  EXPECT_TRUE(Failed(c_.Grant("ID: 1 TTL: 60"), kErrLeaseExist));
}

TEST_F(LeaseServiceTest, GrantsAndRevocationsTakeNoFence) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  const int proposals = m_.replica->proposals();
  LeaseGrantResponse granted;
  EXPECT_TRUE(RefusedForItsFence(c_.lease->LeaseGrant(
      FencedCall().get(), Parse<LeaseGrantRequest>("ID: 2 TTL: 60"), &granted)));
  LeaseRevokeResponse revoked;
  EXPECT_TRUE(RefusedForItsFence(
      c_.lease->LeaseRevoke(FencedCall().get(), Parse<LeaseRevokeRequest>("ID: 1"), &revoked)));
  EXPECT_EQ(m_.replica->proposals(), proposals);
}

TEST_F(LeaseServiceTest, ARevocationDeletesTheKeysInOneRevision) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  ASSERT_TRUE(c_.Put("key: 'a' lease: 1").ok());
  ASSERT_TRUE(c_.Put("key: 'b' lease: 1").ok());
  LeaseRevokeResponse response;
  ASSERT_TRUE(
      c_.lease->LeaseRevoke(Call().get(), Parse<LeaseRevokeRequest>("ID: 1"), &response).ok());
  EXPECT_EQ(response.header().revision(), 4);
  EXPECT_EQ(response.header().member_id(), kSelf.value());
  RangeResponse range;
  ASSERT_TRUE(
      c_.kv->Range(Call().get(), Parse<RangeRequest>("key: 'a' range_end: 'z'"), &range).ok());
  EXPECT_THAT(range.kvs(), IsEmpty());
  EXPECT_TRUE(Failed(c_.Revoke(1), kErrLeaseNotFound));
  EXPECT_TRUE(Failed(c_.Revoke(0), kErrLeaseNotFound));
}

TEST_F(LeaseServiceTest, WritesThatCameToNothing) {
  using raft::NotApplied;
  using raft::OutcomeUnknown;
  m_.replica->FailNextProposal(NotApplied{NotApplied::Reason::kNoLeader});
  EXPECT_TRUE(Failed(c_.Grant("TTL: 60"), kErrNoLeader));
  m_.replica->FailNextProposal(NotApplied{NotApplied::Reason::kOverloaded});
  EXPECT_TRUE(Failed(c_.Revoke(1), kErrRequestTooManyRequests));
  m_.replica->FailNextProposal(OutcomeUnknown{OutcomeUnknown::Reason::kDeadline});
  EXPECT_TRUE(Failed(c_.Grant("TTL: 60"), kErrTimeout));
}

// ---- what there is

TEST_F(LeaseServiceTest, LeasesAreListed) {
  LeaseLeasesResponse list;
  ASSERT_TRUE(c_.Leases(&list).ok());
  EXPECT_THAT(list.leases(), IsEmpty());
  ASSERT_TRUE(c_.Grant("ID: 2 TTL: 60").ok());
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  const int barriers = m_.replica->barriers();
  ASSERT_TRUE(c_.Leases(&list).ok());
  ASSERT_EQ(list.leases_size(), 2);
  EXPECT_EQ(list.leases(0).id(), 1);
  EXPECT_EQ(list.leases(1).id(), 2);
  EXPECT_EQ(list.header().member_id(), kSelf.value());
  EXPECT_EQ(list.header().revision(), 1);
  EXPECT_GT(m_.replica->barriers(), barriers);
}

TEST_F(LeaseServiceTest, TheTimeToLiveIsTold) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 600").ok());
  ASSERT_TRUE(c_.Put("key: 'b' lease: 1").ok());
  ASSERT_TRUE(c_.Put("key: 'a' lease: 1").ok());
  LeaseTimeToLiveResponse response;
  ASSERT_TRUE(c_.TimeToLive("ID: 1 keys: true", &response).ok());
  EXPECT_EQ(response.id(), 1);
  EXPECT_EQ(response.grantedttl(), 600);
  EXPECT_GT(response.ttl(), 500);
  EXPECT_LE(response.ttl(), 600);
  EXPECT_THAT(response.keys(), ElementsAre("a", "b"));
  EXPECT_EQ(response.header().revision(), 3);
  EXPECT_EQ(response.header().cluster_id(), kCluster.value());
  LeaseTimeToLiveResponse without;
  ASSERT_TRUE(c_.TimeToLive("ID: 1", &without).ok());
  EXPECT_THAT(without.keys(), IsEmpty());
}

TEST_F(LeaseServiceTest, AnUnknownLeaseHasNoTimeToLive) {
  LeaseTimeToLiveResponse response;
  ASSERT_TRUE(c_.TimeToLive("ID: 1 keys: true", &response).ok());
  EXPECT_EQ(response.id(), 1);
  EXPECT_EQ(response.ttl(), -1);
  EXPECT_EQ(response.grantedttl(), 0);
  EXPECT_EQ(response.header().member_id(), kSelf.value());
}

TEST_F(LeaseServiceTest, ReadsThatCouldNotBeConfirmed) {
  // The lessor's own, so that the next barrier is that of the call.
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  int64_t ttl = 0;
  ASSERT_TRUE(c_.Renew(1, &ttl).ok());
  m_.replica->FailNextBarrier(absl::DeadlineExceededError("x"));
  LeaseLeasesResponse list;
  EXPECT_TRUE(Failed(c_.Leases(&list), kErrTimeout));
  m_.replica->FailNextBarrier(absl::ResourceExhaustedError("x"));
  LeaseTimeToLiveResponse response;
  EXPECT_TRUE(Failed(c_.TimeToLive("ID: 1", &response), kErrRequestTooManyRequests));
}

// ---- renewals

TEST_F(LeaseServiceTest, LeasesAreRenewed) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  Call call;
  auto stream = c_.lease->LeaseKeepAlive(call.get());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream->Write(Parse<LeaseKeepAliveRequest>("ID: 1")));
    LeaseKeepAliveResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.id(), 1);
    EXPECT_EQ(response.ttl(), 60);
    EXPECT_EQ(response.header().cluster_id(), kCluster.value());
    EXPECT_EQ(response.header().member_id(), kSelf.value());
    EXPECT_EQ(response.header().raft_term(), 1u);
    EXPECT_EQ(response.header().revision(), 1);
  }
  stream->WritesDone();
  LeaseKeepAliveResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(LeaseServiceTest, ToRenewAnUnknownLeaseIsNoError) {
  int64_t ttl = -9;
  EXPECT_TRUE(c_.Renew(1, &ttl).ok());
  EXPECT_EQ(ttl, 0);
}

TEST_F(LeaseServiceTest, AStreamTakesMoreThanItHoldsAtOnce) {
  constexpr int kRenewals = 10 * RenewalStream::kRenewalsMax;
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  Call call;
  auto stream = c_.lease->LeaseKeepAlive(call.get());
  std::thread writer([&] {
    for (int i = 0; i < kRenewals; ++i) stream->Write(Parse<LeaseKeepAliveRequest>("ID: 1"));
    stream->WritesDone();
  });
  LeaseKeepAliveResponse response;
  int answers = 0;
  for (; stream->Read(&response); ++answers) EXPECT_EQ(response.ttl(), 60);
  writer.join();
  EXPECT_EQ(answers, kRenewals);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(LeaseServiceTest, AStreamThatIsCancelledEnds) {
  Call call;
  auto stream = c_.lease->LeaseKeepAlive(call.get());
  ASSERT_TRUE(stream->Write(Parse<LeaseKeepAliveRequest>("ID: 1")));
  LeaseKeepAliveResponse response;
  ASSERT_TRUE(stream->Read(&response));
  call.context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(LeaseServiceTest, WithoutALeaderNothingIsRenewed) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  m_.replica->SetLeader(kNoNode);
  int64_t ttl = 0;
  EXPECT_TRUE(Failed(c_.Renew(1, &ttl), kErrNoLeader));
  EXPECT_EQ(ttl, -9);
  LeaseTimeToLiveResponse response;
  EXPECT_TRUE(Failed(c_.TimeToLive("ID: 1", &response), kErrNoLeader));
}

TEST_F(LeaseServiceTest, ALeaderThatCannotBeReachedIsWaitedFor) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  m_.replica->SetLeader(kPeer);  // its address is not known
  int64_t ttl = 0;
  EXPECT_TRUE(Failed(c_.Renew(1, &ttl), kErrTimeout));
}

TEST_F(LeaseServiceTest, AMemberThatStopsSaysSo) {
  m_.replica->SetLeader(kNoNode);
  m_.keeper->Stop();
  int64_t ttl = 0;
  EXPECT_TRUE(Failed(c_.Renew(1, &ttl), kErrStopped));
}

TEST_F(LeaseServiceTest, ClientsMayInsistOnALeader) {
  m_.replica->SetLeader(kNoNode);
  LeaseGrantResponse grant;
  EXPECT_TRUE(Failed(c_.lease->LeaseGrant(InsistingCall().get(), LeaseGrantRequest(), &grant),
                     kErrNoLeader));
  LeaseRevokeResponse revoke;
  EXPECT_TRUE(Failed(c_.lease->LeaseRevoke(InsistingCall().get(), LeaseRevokeRequest(), &revoke),
                     kErrNoLeader));
  LeaseLeasesResponse list;
  EXPECT_TRUE(Failed(c_.lease->LeaseLeases(InsistingCall().get(), LeaseLeasesRequest(), &list),
                     kErrNoLeader));
  LeaseTimeToLiveResponse time;
  EXPECT_TRUE(
      Failed(c_.lease->LeaseTimeToLive(InsistingCall().get(), LeaseTimeToLiveRequest(), &time),
             kErrNoLeader));
  EXPECT_EQ(m_.replica->proposals(), 0);
  InsistingCall call;
  auto stream = c_.lease->LeaseKeepAlive(call.get());
  LeaseKeepAliveResponse response;
  EXPECT_FALSE(stream->Read(&response)) << "it ends before it is asked for anything";
  EXPECT_TRUE(Failed(stream->Finish(), kErrNoLeader));
}

TEST_F(LeaseServiceTest, WhoInsistsOnALeaderHasAStreamOnlyWhileThereIsOne) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  InsistingCall insisting;
  Call content;
  const auto request = Parse<LeaseKeepAliveRequest>("ID: 1");
  auto ended = c_.lease->LeaseKeepAlive(insisting.get());
  auto kept = c_.lease->LeaseKeepAlive(content.get());
  LeaseKeepAliveResponse response;
  for (auto* stream : {&ended, &kept}) {
    ASSERT_TRUE((*stream)->Write(request));
    ASSERT_TRUE((*stream)->Read(&response));
  }
  m_.replica->SetLeader(kNoNode);
  EXPECT_FALSE(ended->Read(&response)) << "it waits for nothing";
  EXPECT_TRUE(Failed(ended->Finish(), kErrNoLeader));
  m_.replica->SetLeader(kSelf);
  ASSERT_TRUE(kept->Write(request));
  EXPECT_TRUE(kept->Read(&response));
  kept->WritesDone();
  EXPECT_TRUE(kept->Finish().ok());
}

// ---- on a follower

class FollowerLeaseServiceTest : public LeaseServiceTest {
 protected:
  FollowerLeaseServiceTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&peer_service_);
    peer_server_ = builder.BuildAndStart();
    m_.replica->SetMembership({.voters = {kSelf, kPeer},
                               .peer_urls = {{kPeer, {absl::StrCat("http://127.0.0.1:", port)}}}});
    m_.replica->SetLeader(kPeer);
    peer_service_.Begin(leader_.lessor.get());
  }
  ~FollowerLeaseServiceTest() override {
    peer_service_.End();
    peer_server_->Shutdown(std::chrono::system_clock::now());
  }

  // On both, as the log would do it.
  void Grant(const std::string& request) {
    ASSERT_TRUE(c_.Grant(request).ok());
    ASSERT_TRUE(leader_client_.Grant(request).ok());
  }

  TestMember leader_{kPeer, "leader"};
  TestClient leader_client_{leader_};
  LessorService peer_service_;
  std::unique_ptr<grpc::Server> peer_server_;
};

TEST_F(FollowerLeaseServiceTest, TheLeaderIsAsked) {
  Grant("ID: 1 TTL: 60");
  int64_t ttl = 0;
  EXPECT_TRUE(c_.Renew(1, &ttl).ok());
  EXPECT_EQ(ttl, 60);
  EXPECT_TRUE(c_.Renew(2, &ttl).ok());
  EXPECT_EQ(ttl, 0);
  ASSERT_TRUE(c_.Put("key: 'a' lease: 1").ok());
  LeaseTimeToLiveResponse response;
  ASSERT_TRUE(c_.TimeToLive("ID: 1 keys: true", &response).ok());
  EXPECT_GT(response.ttl(), 50);
  EXPECT_LE(response.ttl(), 60);
  EXPECT_EQ(response.grantedttl(), 60);
  EXPECT_THAT(response.keys(), ElementsAre("a"));
  EXPECT_EQ(response.header().member_id(), kSelf.value()) << "whoever was asked answers";
}

TEST_F(FollowerLeaseServiceTest, ALeaseThatIsRevokedMeanwhileIsUnknown) {
  ASSERT_TRUE(c_.Grant("ID: 1 TTL: 60").ok());
  ASSERT_TRUE(c_.Put("key: 'a' lease: 1").ok());
  LeaseTimeToLiveResponse response;
  ASSERT_TRUE(c_.TimeToLive("ID: 1 keys: true", &response).ok());
  EXPECT_EQ(response.ttl(), -1) << "this member has not heard of it yet";
  EXPECT_EQ(response.grantedttl(), 0);
  EXPECT_THAT(response.keys(), IsEmpty());
}

TEST_F(FollowerLeaseServiceTest, ThousandsOfRenewalsAreFewMessages) {
  constexpr int kRenewals = 10'000;
  Grant("ID: 1 TTL: 60");
  int64_t ttl = 0;
  ASSERT_TRUE(c_.Renew(1, &ttl).ok());  // connects
  const int barriers = leader_.replica->barriers();
  absl::BlockingCounter open(kRenewals);
  std::atomic<int> renewed = 0;
  const Instant deadline = Clock::System()->Now() + absl::Seconds(30);
  for (int i = 0; i < kRenewals; ++i) {
    m_.keeper->Ask(LeaseQuestion::Kind::kRenew, LeaseId(1), deadline,
                   [&](absl::StatusOr<int64_t> seconds) {
                     if (seconds.ok() && *seconds == 60) ++renewed;
                     open.DecrementCount();
                   });
  }
  open.Wait();
  EXPECT_EQ(renewed, kRenewals);
  EXPECT_LE(leader_.replica->barriers() - barriers, kRenewals / 10);
}

TEST_F(FollowerLeaseServiceTest, ALeaderThatIsNoneAnyMoreDoesNotAnswer) {
  Grant("ID: 1 TTL: 60");
  leader_.replica->SetLeader(kNoNode);
  int64_t ttl = 0;
  EXPECT_TRUE(Failed(c_.Renew(1, &ttl), kErrLeaderChanged));
  LeaseTimeToLiveResponse response;
  EXPECT_TRUE(Failed(c_.TimeToLive("ID: 1", &response), kErrLeaderChanged));
}

TEST_F(FollowerLeaseServiceTest, TheNextLeaderIsAskedInstead) {
  Grant("ID: 1 TTL: 60");
  leader_.replica->SetLeader(kNoNode);
  Call call;
  auto stream = c_.lease->LeaseKeepAlive(call.get());
  ASSERT_TRUE(stream->Write(Parse<LeaseKeepAliveRequest>("ID: 1")));
  m_.replica->SetTerm(Term{2});
  m_.replica->SetLeader(kSelf);
  LeaseKeepAliveResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.ttl(), 60);
}

TEST_F(FollowerLeaseServiceTest, APeerThatStartsIsWaitedFor) {
  Grant("ID: 1 TTL: 60");
  peer_service_.End();
  int64_t ttl = 0;
  EXPECT_TRUE(Failed(c_.Renew(1, &ttl), kErrTimeout));
  peer_service_.Begin(leader_.lessor.get());
  EXPECT_TRUE(c_.Renew(1, &ttl).ok());
  EXPECT_EQ(ttl, 60);
}

}  // namespace
}  // namespace pontoon::kv
