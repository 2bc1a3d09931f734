#include "tests/integration/error_causes.h"

#include <algorithm>
#include <cstdint>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "gtest/gtest.h"
#include "proto/v3election.grpc.pb.h"
#include "proto/v3lock.grpc.pb.h"
#include "tests/integration/calls.h"
#include "tests/integration/eventually.h"
#include "tests/integration/raw_call.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using namespace kv;            // NOLINT: the errors
using namespace etcdserverpb;  // NOLINT: the vocabulary of this table
using absl::StatusCode;
using v3electionpb::Election;
using v3lockpb::Lock;

using Provoke = std::function<grpc::Status(Cluster&)>;

// ---- what most causes are: one call

Client& AnyClient(Cluster& cluster) { return cluster.client(RunningNode(cluster)); }

// A unary call with this request. "$0" in it stands for what `fill` returns.
template <typename Service, typename Request, typename Response>
Provoke Ask(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
            std::string request, std::string (*fill)(Cluster&) = nullptr) {
  return [=](Cluster& cluster) {
    const std::string filled = fill == nullptr ? "" : fill(cluster);
    return Call<Service>(AnyClient(cluster), method,
                         Parse<Request>(absl::Substitute(request, filled)))
        .status;
  };
}

// Of a client that wants to be served only by a member that knows a leader. It is told at once that
// there is none, while others are told so when the server's patience is over.
CallOptions Insisting() {
  return {.metadata = {{"hasleader", "true"}}, .timeout = absl::Seconds(3)};
}

// A unary call of such a client.
template <typename Service, typename Request, typename Response>
Provoke Insist(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
               std::string request) {
  return [=](Cluster& cluster) {
    return Call<Service>(AnyClient(cluster), method, Parse<Request>(request), Insisting()).status;
  };
}

// A call with a stream.
template <typename Service, typename Request, typename Stream, typename... Parameters>
Provoke AskForStream(std::unique_ptr<Stream> (Service::Stub::*method)(grpc::ClientContext*,
                                                                      Parameters...),
                     std::string request, CallOptions options = {}) {
  return [=](Cluster& cluster) {
    return EndOfStream<Service>(AnyClient(cluster), method, Parse<Request>(request), options);
  };
}

// ---- what requests are filled with

int64_t PresentRevision(Cluster& cluster) {
  return AnyClient(cluster).Put("now", "x").response.header().revision();
}

std::string FutureRevision(Cluster& cluster) {
  return absl::StrCat(PresentRevision(cluster) + 1000);
}

std::string CompactedRevision(Cluster& cluster) {
  const int64_t compacted = PresentRevision(cluster);
  EXPECT_OK(AnyClient(cluster).Compact(PresentRevision(cluster)));
  return absl::StrCat(compacted);
}

uint64_t IdOf(Cluster& cluster, int node) {
  return cluster.client(node).Status().response.header().member_id();
}

std::string OwnId(Cluster& cluster) { return absl::StrCat(IdOf(cluster, RunningNode(cluster))); }

// Of a learner; the first one.
std::string LearnerId(Cluster& cluster) {
  const auto list = AnyClient(cluster).MemberList();
  for (const auto& member : list.response.members()) {
    if (member.islearner()) return absl::StrCat(member.id());
  }
  ADD_FAILURE() << "there is no learner";
  return "0";
}

grpc::Status RangeOfALearner(Cluster& cluster) {
  return cluster.client(cluster.size() - 1).Get("k").status;
}

std::string OwnIdAndUrlOfAnother(Cluster& cluster) {
  const int self = RunningNode(cluster);
  return absl::StrCat(IdOf(cluster, self), " peerURLs: '",
                      cluster.peer_url((self + 1) % cluster.size()), "'");
}

// ---- leaders

int LeaderOf(Cluster& cluster) { return cluster.WaitForLeader().value(); }

grpc::Status MoveLeader(Cluster& cluster, int asked, uint64_t target) {
  MoveLeaderRequest request;
  request.set_targetid(target);
  return Call<Maintenance>(cluster.client(asked), &Maintenance::Stub::MoveLeader, request).status;
}

grpc::Status MoveLeaderThroughAFollower(Cluster& cluster) {
  const int leader = LeaderOf(cluster);
  const int follower = (leader + 1) % cluster.size();
  return MoveLeader(cluster, follower, IdOf(cluster, follower));
}

grpc::Status MoveLeaderToAStranger(Cluster& cluster) {
  return MoveLeader(cluster, LeaderOf(cluster), 0xdead);
}

grpc::Status MoveLeaderToOneThatIsPaused(Cluster& cluster) {
  const int leader = LeaderOf(cluster);
  const int target = (leader + 1) % cluster.size();
  const uint64_t id = IdOf(cluster, target);
  cluster.Pause(target);
  return MoveLeader(cluster, leader, id);
}

// ---- what is under way when something happens

// Whether all members have told the others their addresses, which they do through the log.
bool AllArePublished(Client& client) {
  const auto list = client.MemberList();
  return std::all_of(list.response.members().begin(), list.response.members().end(),
                     [](const auto& member) { return member.clienturls_size() > 0; });
}

// A put that is in the leader's log and cannot be committed, until `then` is done.
grpc::Status PutWithoutQuorum(Cluster& cluster, void (*then)(Cluster&, int leader)) {
  const int leader = LeaderOf(cluster);
  EXPECT_TRUE(Eventually([&] { return AllArePublished(cluster.client(leader)); }));
  for (const int node : cluster.AllNodesBut(leader)) cluster.Pause(node);
  Client& client = cluster.client(leader);
  const uint64_t before = client.Status().response.last_log_index();
  auto put = std::async(std::launch::async, [&] { return client.Put("k", "v").status; });
  EXPECT_TRUE(Eventually([&] { return client.Status().response.last_log_index() > before; }));
  then(cluster, leader);
  return put.get();
}

grpc::Status PutWhoseLeaderFails(Cluster& cluster) {
  return PutWithoutQuorum(cluster, [](Cluster&, int) {});
}

grpc::Status PutWhoseMemberStops(Cluster& cluster) {
  return PutWithoutQuorum(cluster, [](Cluster& c, int leader) { EXPECT_OK(c.Stop(leader)); });
}

// How a watch ends that goes on until `then` is done to the node.
grpc::Status WatchUntil(Cluster& cluster, const CallOptions& options,
                        void (*then)(Cluster&, int node)) {
  const int node = LeaderOf(cluster);
  CallContext context(options);
  const auto stub = Watch::NewStub(cluster.client(node).channel());
  const auto stream = stub->Watch(context.get());
  EXPECT_TRUE(stream->Write(Parse<WatchRequest>("create_request { key: 'k' }")));
  WatchResponse response;
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.created());
  then(cluster, node);
  while (stream->Read(&response)) continue;
  return stream->Finish();
}

void GrantLease(Client& client, int64_t id) {
  LeaseGrantRequest request;
  request.set_id(id);
  request.set_ttl(600);
  EXPECT_OK(Call<Lease>(client, &Lease::Stub::LeaseGrant, request));
}

// How a stream of a client that insists on a leader ends when the others are lost. It has had its
// first answer, and waits for nothing.
template <typename Stream, typename Response>
grpc::Status EndWithoutTheOthers(Cluster& cluster, int node, Stream* stream, Response* response) {
  EXPECT_TRUE(stream->Read(response));
  cluster.Kill(cluster.AllNodesBut(node));
  while (stream->Read(response)) continue;
  return stream->Finish();
}

grpc::Status KeepAliveWhoseLeaderIsLost(Cluster& cluster) {
  const int node = LeaderOf(cluster);
  GrantLease(cluster.client(node), 0x41);
  CallContext context({.metadata = Insisting().metadata});
  const auto stub = Lease::NewStub(cluster.client(node).channel());
  const auto stream = stub->LeaseKeepAlive(context.get());
  EXPECT_TRUE(stream->Write(Parse<LeaseKeepAliveRequest>("ID: 0x41")));
  LeaseKeepAliveResponse response;
  return EndWithoutTheOthers(cluster, node, stream.get(), &response);
}

grpc::Status ObservationWhoseLeaderIsLost(Cluster& cluster) {
  const int node = LeaderOf(cluster);
  Client& client = cluster.client(node);
  GrantLease(client, 0x51);
  EXPECT_OK(Call<Election>(client, &Election::Stub::Campaign,
                           Parse<v3electionpb::CampaignRequest>("name: 'q' lease: 0x51")));
  CallContext context({.metadata = Insisting().metadata});
  const auto stub = Election::NewStub(client.channel());
  const auto stream = stub->Observe(context.get(), Parse<v3electionpb::LeaderRequest>("name: 'q'"));
  v3electionpb::LeaderResponse response;
  return EndWithoutTheOthers(cluster, node, stream.get(), &response);
}

grpc::Status WatchWhoseMemberStops(Cluster& cluster) {
  return WatchUntil(cluster, {}, [](Cluster& c, int node) { EXPECT_OK(c.Stop(node)); });
}

grpc::Status WatchWhoseLeaderIsLost(Cluster& cluster) {
  return WatchUntil(cluster, {.metadata = Insisting().metadata},
                    [](Cluster& c, int node) { c.Kill(c.AllNodesBut(node)); });
}

// ---- locks and elections

// Waits for `first`, which has the first place of the queue "q", with a lease that ends meanwhile.
template <typename Wait>
grpc::Status WaitWithALeaseThatEnds(Client& client, const std::string& first, int64_t lease,
                                    Wait wait) {
  auto waiting = std::async(std::launch::async, wait);
  const std::string key = absl::StrCat("q/", absl::Hex(lease));
  EXPECT_TRUE(Eventually([&] { return client.Get(key).response.count() == 1; }));
  EXPECT_OK(Call<Lease>(client, &Lease::Stub::LeaseRevoke,
                        Parse<LeaseRevokeRequest>(absl::StrCat("ID: ", lease))));
  EXPECT_OK(client.Delete(first));
  return waiting.get();
}

grpc::Status LockWithALeaseThatEnds(Cluster& cluster) {
  Client& client = AnyClient(cluster);
  GrantLease(client, 0x11);
  GrantLease(client, 0x12);
  const auto lock = [&](const std::string& lease) {
    return Call<Lock>(client, &Lock::Stub::Lock,
                      Parse<v3lockpb::LockRequest>("name: 'q' lease: " + lease));
  };
  EXPECT_OK(lock("0x11"));
  return WaitWithALeaseThatEnds(client, "q/11", 0x12, [&] { return lock("0x12").status; });
}

grpc::Status CampaignWithALeaseThatEnds(Cluster& cluster) {
  Client& client = AnyClient(cluster);
  GrantLease(client, 0x21);
  GrantLease(client, 0x22);
  const auto campaign = [&](const std::string& lease) {
    return Call<Election>(client, &Election::Stub::Campaign,
                          Parse<v3electionpb::CampaignRequest>("name: 'q' lease: " + lease));
  };
  EXPECT_OK(campaign("0x21"));
  return WaitWithALeaseThatEnds(client, "q/21", 0x22, [&] { return campaign("0x22").status; });
}

grpc::Status GrantTwice(Cluster& cluster) {
  GrantLease(AnyClient(cluster), 0x31);
  return Call<Lease>(AnyClient(cluster), &Lease::Stub::LeaseGrant,
                     Parse<LeaseGrantRequest>("ID: 0x31 TTL: 60"))
      .status;
}

// ---- transactions and large requests

grpc::Status TransactionOfTooManyOperations(Cluster& cluster) {
  TxnRequest txn;
  for (int i = 0; i < 129; ++i) txn.add_compare()->set_key("k");
  return AnyClient(cluster).Txn(txn).status;
}

grpc::Status PutOfTooManyBytes(Cluster& cluster) {
  return AnyClient(cluster).Put("k", std::string(3 << 19, 'x')).status;
}

// ---- the tables

// Errors that are not in etcd's own table, and what it has as their texts.
constexpr ApiError kSessionExpired{StatusCode::kUnknown, "mutex: session is expired"};
constexpr ApiError kElectionNotLeader{StatusCode::kUnknown, "election: not leader"};
constexpr ApiError kElectionNoLeader{StatusCode::kUnknown, "election: no leader"};
constexpr ApiError kNoLeaderKey{StatusCode::kUnknown, "\"leader\" field must be provided"};
constexpr ApiError kTransferTooLong{StatusCode::kUnknown,
                                    "etcdserver: request timed out, leader transfer took too long"};
constexpr ApiError kUnknownMethod{StatusCode::kUnknown, "etcdserver: unknown method"};
constexpr ApiError kNoStreamSort{StatusCode::kUnimplemented,
                                 "RangeStream does not support custom sort orders"};
constexpr ApiError kNoStreamFilter{StatusCode::kUnimplemented,
                                   "RangeStream does not support revision filters"};

constexpr char kOf35[] = "it came with 3.5";
constexpr char kOf36[] = "it came with 3.6";
constexpr char kOf37[] = "it came with 3.7";

// etcd's locks and elections call through its own client, and changes of members take an error of
// it by mistake.
constexpr InEtcd WithoutCode(const ApiError& error) {
  return InEtcd::Other({StatusCode::kUnknown, error.text},
                       "it is an error of the client, which gRPC takes for UNKNOWN");
}

// A place in a queue whose lease has ended.
constexpr InEtcd kHandedOut =
    InEtcd::Other({StatusCode::kOk, ""}, "3.4 does not look whether the key is still there");
constexpr InEtcd kTellsNoLog = InEtcd::NotAsked("it does not tell what is in its log");

std::vector<Cause> CausesOfRequests() {
  return {
      {"PutWithoutKey", kErrEmptyKey, Ask<KV>(&KV::Stub::Put, "value: 'v'")},
      {"RangeWithoutKey", kErrEmptyKey, Ask<KV>(&KV::Stub::Range, "range_end: 'z'")},
      {"DeleteWithoutKey", kErrEmptyKey, Ask<KV>(&KV::Stub::DeleteRange, "range_end: 'z'")},
      {"CompareWithoutKey", kErrEmptyKey, Ask<KV>(&KV::Stub::Txn, "compare { }")},
      {"PutThatKeepsTheValueOfNoKey", kErrKeyNotFound,
       Ask<KV>(&KV::Stub::Put, "key: 'missing' ignore_value: true")},
      {"PutThatKeepsTheLeaseOfNoKey", kErrKeyNotFound,
       Ask<KV>(&KV::Stub::Put, "key: 'missing' ignore_lease: true")},
      {"OperationThatSaysNothing", kErrKeyNotFound, Ask<KV>(&KV::Stub::Txn, "success { }")},
      {"PutThatKeepsTheValueAndHasOne", kErrValueProvided,
       Ask<KV>(&KV::Stub::Put, "key: 'k' value: 'v' ignore_value: true")},
      {"PutThatKeepsTheLeaseAndHasOne", kErrLeaseProvided,
       Ask<KV>(&KV::Stub::Put, "key: 'k' lease: 7 ignore_lease: true")},
      {"TransactionOfTooManyOperations", kErrTooManyOps, &TransactionOfTooManyOperations},
      {"TransactionThatPutsAKeyTwice", kErrDuplicateKey,
       Ask<KV>(&KV::Stub::Txn,
               "success { request_put { key: 'k' } } "
               "success { request_put { key: 'k' } }")},
      {"PutOfTooManyBytes", kErrRequestTooLarge, &PutOfTooManyBytes},
      {"VersionOfTheClientThatIsNoText", kErrInvalidClientAPIVersion,
       [](Cluster& cluster) {
         return Send(cluster.address(0),
                     {.method = "/etcdserverpb.KV/Range",
                      .message = Parse<RangeRequest>("key: 'k'").SerializeAsString(),
                      .metadata_key = "client-api-version",
                      .metadata_value = "3.6\xff"});
       },
       Setting::kHealthy, InEtcd::NotAsked(kOf36)},
      {"RangeInAnUnknownOrder", kErrInvalidSortOption,
       Ask<KV>(&KV::Stub::Range, "key: 'k' sort_order: 9"), Setting::kHealthy,
       InEtcd::NotAsked(kOf36)},
      {"RangeByAnUnknownTarget", kErrInvalidSortOption,
       Ask<KV>(&KV::Stub::Range, "key: 'k' sort_target: 9"), Setting::kHealthy,
       InEtcd::NotAsked(kOf36)},
      {"RangeOfACompactedRevision", kErrCompacted,
       Ask<KV>(&KV::Stub::Range, "key: 'now' revision: $0", &CompactedRevision)},
      {"RangeInATransactionOfACompactedRevision", kErrCompacted,
       Ask<KV>(&KV::Stub::Txn, "success { request_range { key: 'now' revision: $0 } }",
               &CompactedRevision)},
      {"CompactionOfACompactedRevision", kErrCompacted,
       Ask<KV>(&KV::Stub::Compact, "revision: $0", &CompactedRevision)},
      {"HashOfACompactedRevision", kErrCompacted,
       Ask<Maintenance>(&Maintenance::Stub::HashKV, "revision: $0", &CompactedRevision)},
      {"RangeOfAFutureRevision", kErrFutureRev,
       Ask<KV>(&KV::Stub::Range, "key: 'now' revision: $0", &FutureRevision)},
      {"RangeInATransactionOfAFutureRevision", kErrFutureRev,
       Ask<KV>(&KV::Stub::Txn, "success { request_range { key: 'now' revision: $0 } }",
               &FutureRevision)},
      {"CompactionOfAFutureRevision", kErrFutureRev,
       Ask<KV>(&KV::Stub::Compact, "revision: $0", &FutureRevision)},
      {"HashOfAFutureRevision", kErrFutureRev,
       Ask<Maintenance>(&Maintenance::Stub::HashKV, "revision: $0", &FutureRevision)},
      {"PutWithALeaseThatIsNone", kErrLeaseNotFound,
       Ask<KV>(&KV::Stub::Put, "key: 'k' lease: 12345")},
      {"RevocationOfALeaseThatIsNone", kErrLeaseNotFound,
       Ask<Lease>(&Lease::Stub::LeaseRevoke, "ID: 12345")},
      {"GrantOfALeaseThatThereIs", kErrLeaseExist, &GrantTwice},
      {"GrantOfTooMuchTime", kErrLeaseTTLTooLarge,
       Ask<Lease>(&Lease::Stub::LeaseGrant, "TTL: 9000000001")},
      {"SortedStream", kNoStreamSort,
       AskForStream<KV, RangeRequest>(&KV::Stub::RangeStream, "key: 'k' sort_order: DESCEND"),
       Setting::kHealthy, InEtcd::NotAsked(kOf37)},
      {"FilteredStream", kNoStreamFilter,
       AskForStream<KV, RangeRequest>(&KV::Stub::RangeStream, "key: 'k' min_mod_revision: 2"),
       Setting::kHealthy, InEtcd::NotAsked(kOf37)},
  };
}

std::vector<Cause> CausesOfLocks() {
  return {
      {"LockWithALeaseThatEnds", kSessionExpired, &LockWithALeaseThatEnds, Setting::kHealthy,
       kHandedOut},
      {"LockWithALeaseThatIsNone", kErrLeaseNotFound,
       Ask<Lock>(&Lock::Stub::Lock, "name: 'q' lease: 12345"), Setting::kHealthy,
       WithoutCode(kErrLeaseNotFound)},
      {"UnlockWithoutKey", kErrEmptyKey, Ask<Lock>(&Lock::Stub::Unlock, ""), Setting::kHealthy,
       WithoutCode(kErrEmptyKey)},
      {"CampaignWithALeaseThatEnds", kElectionNotLeader, &CampaignWithALeaseThatEnds,
       Setting::kHealthy, kHandedOut},
      {"CampaignWithALeaseThatIsNone", kErrLeaseNotFound,
       Ask<Election>(&Election::Stub::Campaign, "name: 'q' lease: 12345"), Setting::kHealthy,
       WithoutCode(kErrLeaseNotFound)},
      {"ProclamationOfSomebodyElse", kElectionNotLeader,
       Ask<Election>(&Election::Stub::Proclaim, "leader { name: 'q' key: 'q/1' rev: 1 lease: 1 }")},
      {"ProclamationWithoutLeader", kNoLeaderKey,
       Ask<Election>(&Election::Stub::Proclaim, "value: 'v'")},
      {"ResignationWithoutLeader", kNoLeaderKey, Ask<Election>(&Election::Stub::Resign, "")},
      {"LeaderOfNobody", kElectionNoLeader,
       Ask<Election>(&Election::Stub::Leader, "name: 'nobody'")},
  };
}

std::vector<Cause> CausesOfMembers() {
  using Members = etcdserverpb::Cluster;
  return {
      {"AdditionOfAnUrlThatIsNone", kErrMemberBadURLs,
       Ask<Members>(&Members::Stub::MemberAdd, "peerURLs: 'nowhere'")},
      {"AdditionWithoutUrl", kErrMemberBadURLs, Ask<Members>(&Members::Stub::MemberAdd, "")},
      {"UpdateToTheUrlOfAnother", kErrPeerURLExist,
       Ask<Members>(&Members::Stub::MemberUpdate, "ID: $0", &OwnIdAndUrlOfAnother)},
      {"RemovalOfNobody", kErrMemberNotFound,
       Ask<Members>(&Members::Stub::MemberRemove, "ID: 0xdead")},
      {"PromotionOfNobody", kErrMemberNotFound,
       Ask<Members>(&Members::Stub::MemberPromote, "ID: 0xdead")},
      {"PromotionOfAVoter", kErrMemberNotLearner,
       Ask<Members>(&Members::Stub::MemberPromote, "ID: $0", &OwnId)},
      {"MoveOfTheLeaderThroughAFollower", kErrNotLeader, &MoveLeaderThroughAFollower},
      {"MoveOfTheLeaderToAStranger", kErrBadLeaderTransferee, &MoveLeaderToAStranger},
      {"DowngradeToWhatIsNoVersion", kErrWrongDowngradeVersionFormat,
       Ask<Maintenance>(&Maintenance::Stub::Downgrade, "action: ENABLE version: 'x'"),
       Setting::kHealthy, InEtcd::NotAsked(kOf35)},
      {"DowngradeToAnyVersion", kErrInvalidDowngradeTargetVersion,
       Ask<Maintenance>(&Maintenance::Stub::Downgrade, "action: VALIDATE version: '3.5'"),
       Setting::kHealthy, InEtcd::NotAsked(kOf35)},
      {"EndOfNoDowngrade", kErrNoInflightDowngrade,
       Ask<Maintenance>(&Maintenance::Stub::Downgrade, "action: CANCEL"), Setting::kHealthy,
       InEtcd::NotAsked(kOf35)},
      {"UnknownActionOnADowngrade", kUnknownMethod,
       Ask<Maintenance>(&Maintenance::Stub::Downgrade, "action: 9"), Setting::kHealthy,
       InEtcd::NotAsked(kOf35)},
      {"PromotionOfALearnerThatWasNeverStarted", kErrLearnerNotReady,
       Ask<Members>(&Members::Stub::MemberPromote, "ID: $0", &LearnerId), Setting::kNewLearner},
      {"AdditionOfASecondLearner", kErrTooManyLearners,
       Ask<Members>(&Members::Stub::MemberAdd, "peerURLs: 'http://127.0.0.1:1' isLearner: true"),
       Setting::kNewLearner},
      {"RemovalOfTheLastVoter", kErrMemberNotEnoughStarted,
       Ask<Members>(&Members::Stub::MemberRemove, "ID: $0", &OwnId), Setting::kNewLearner,
       WithoutCode(kErrMemberNotEnoughStarted)},
      {"LinearizableRangeOfALearner", kErrNotSupportedForLearner, &RangeOfALearner,
       Setting::kLearner,
       InEtcd::Other({StatusCode::kUnavailable, kErrNotSupportedForLearner.text},
                     "it has this code since 3.6")},
      {"RemovalOfOneOfTwoThatAreLeft", kErrUnhealthy,
       Ask<Members>(&Members::Stub::MemberRemove, "ID: $0", &OwnId), Setting::kOneAway},
  };
}

std::vector<Cause> CausesOfAlarms() {
  return {
      {"PutBeyondTheQuota", kErrNoSpace, Ask<KV>(&KV::Stub::Put, "key: 'k'"), Setting::kFull},
      {"TransactionBeyondTheQuota", kErrNoSpace,
       Ask<KV>(&KV::Stub::Txn, "success { request_put { key: 'k' } }"), Setting::kFull},
      {"GrantBeyondTheQuota", kErrNoSpace, Ask<Lease>(&Lease::Stub::LeaseGrant, "TTL: 60"),
       Setting::kFull},
      {"PutOnAWrongState", kErrCorrupt, Ask<KV>(&KV::Stub::Put, "key: 'k'"), Setting::kCorrupt},
      {"DeletionOnAWrongState", kErrCorrupt, Ask<KV>(&KV::Stub::DeleteRange, "key: 'k'"),
       Setting::kCorrupt},
      {"CompactionOnAWrongState", kErrCorrupt, Ask<KV>(&KV::Stub::Compact, "revision: 1"),
       Setting::kCorrupt},
      {"GrantOnAWrongState", kErrCorrupt, Ask<Lease>(&Lease::Stub::LeaseGrant, "TTL: 60"),
       Setting::kCorrupt},
  };
}

std::vector<Cause> CausesOfLeaders() {
  using Members = etcdserverpb::Cluster;
  return {
      {"InsistentPut", kErrNoLeader, Insist<KV>(&KV::Stub::Put, "key: 'k'"), Setting::kLeaderless},
      {"InsistentRange", kErrNoLeader, Insist<KV>(&KV::Stub::Range, "key: 'k' serializable: true"),
       Setting::kLeaderless},
      {"InsistentGrant", kErrNoLeader, Insist<Lease>(&Lease::Stub::LeaseGrant, "TTL: 60"),
       Setting::kLeaderless},
      {"InsistentMemberList", kErrNoLeader, Insist<Members>(&Members::Stub::MemberList, ""),
       Setting::kLeaderless},
      {"InsistentStatus", kErrNoLeader, Insist<Maintenance>(&Maintenance::Stub::Status, ""),
       Setting::kLeaderless},
      {"InsistentAlarm", kErrNoLeader, Insist<Maintenance>(&Maintenance::Stub::Alarm, ""),
       Setting::kLeaderless},
      {"InsistentLock", kErrNoLeader, Insist<Lock>(&Lock::Stub::Lock, "name: 'q'"),
       Setting::kLeaderless},
      {"InsistentWatch", kErrNoLeader,
       AskForStream<Watch, WatchRequest>(&Watch::Stub::Watch, "create_request { key: 'k' }",
                                         Insisting()),
       Setting::kLeaderless},
      {"InsistentKeepAlive", kErrNoLeader,
       AskForStream<Lease, LeaseKeepAliveRequest>(&Lease::Stub::LeaseKeepAlive, "ID: 1",
                                                  Insisting()),
       Setting::kLeaderless},
      {"InsistentObservation", kErrNoLeader,
       AskForStream<Election, v3electionpb::LeaderRequest>(&Election::Stub::Observe, "name: 'q'",
                                                           Insisting()),
       Setting::kLeaderless},
      {"InsistentSnapshot", kErrNoLeader,
       AskForStream<Maintenance, SnapshotRequest>(&Maintenance::Stub::Snapshot, "", Insisting()),
       Setting::kLeaderless},
      {"PutThatWaitsForALeader", kErrNoLeader, Ask<KV>(&KV::Stub::Put, "key: 'k'"),
       Setting::kLeaderless,
       InEtcd::Other({StatusCode::kUnknown, "context deadline exceeded"},
                     "it has no words for it")},
      {"InsistentWatchWhoseLeaderIsLost", kErrNoLeader, &WatchWhoseLeaderIsLost,
       Setting::kOwnQuick},
      {"InsistentKeepAliveWhoseLeaderIsLost", kErrNoLeader, &KeepAliveWhoseLeaderIsLost,
       Setting::kOwnQuick},
      {"InsistentObservationWhoseLeaderIsLost", kErrNoLeader, &ObservationWhoseLeaderIsLost,
       Setting::kOwnQuick},
      {"WatchWhoseMemberStops", kErrStopped, &WatchWhoseMemberStops, Setting::kOwnQuick,
       InEtcd::NotAsked("it closes the connection without a word")},
      {"PutWhoseMemberStops", kErrTimeoutDueToConnectionLost, &PutWhoseMemberStops, Setting::kOwn,
       kTellsNoLog},
      {"PutWhoseLeaderFails", kErrTimeoutDueToLeaderFail, &PutWhoseLeaderFails, Setting::kOwn,
       kTellsNoLog},
      {"MoveOfTheLeaderToOneThatIsPaused", kTransferTooLong, &MoveLeaderToOneThatIsPaused,
       Setting::kOwnQuick, InEtcd::NotAsked("3.4 waits for as long as the client does")},
  };
}

std::vector<Cause> AllCauses() {
  std::vector<Cause> all;
  for (const auto& causes : {CausesOfRequests(), CausesOfLocks(), CausesOfMembers(),
                             CausesOfAlarms(), CausesOfLeaders()}) {
    all.insert(all.end(), causes.begin(), causes.end());
  }
  return all;
}

}  // namespace

const std::vector<Cause>& ErrorCauses() {
  static const std::vector<Cause>& causes = *new std::vector<Cause>(AllCauses());
  return causes;
}

const std::vector<Unreachable>& UnreachableErrors() {
  static constexpr char kAuth[] = "there are no users, roles and permissions yet";
  static constexpr char kClient[] =
      "the client's own gRPC ends the call in that moment, before the answer of the server";
  static const std::vector<Unreachable>& errors = *new std::vector<Unreachable>{
      {kErrRootUserNotExist, kAuth},
      {kErrRootRoleNotExist, kAuth},
      {kErrUserAlreadyExist, kAuth},
      {kErrUserEmpty, kAuth},
      {kErrUserNotFound, kAuth},
      {kErrRoleAlreadyExist, kAuth},
      {kErrRoleNotFound, kAuth},
      {kErrRoleEmpty, kAuth},
      {kErrAuthFailed, kAuth},
      {kErrPermissionNotGiven, kAuth},
      {kErrPermissionDenied, kAuth},
      {kErrRoleNotGranted, kAuth},
      {kErrPermissionNotGranted, kAuth},
      {kErrAuthNotEnabled, kAuth},
      {kErrInvalidAuthToken, kAuth},
      {kErrInvalidAuthMgmt, kAuth},
      {kErrAuthOldRevision, kAuth},
      {kErrWatchCanceled, kClient},
      {kErrCanceled, kClient},
      {kErrDeadlineExceeded, kClient},
      {kErrMemberExist, "each member that is added gets an id that there has never been"},
      {kErrClusterIDMismatch, "only members say of which cluster they are, to each other"},
      {kErrRequestTooManyRequests,
       "it takes more calls that wait than a test makes; kv_service_test has the queues full"},
      {kErrLeaderChanged,
       "it takes another leader than the wanted one, or in the very moment of a question about a "
       "lease; service_test and lease_service_test have it so"},
      {kErrNotCapable, "all members of one version can do the same"},
      {kErrTimeout,
       "it takes a leader that is there and commits nothing for seconds; kv_service_test has it "
       "so"},
      {kErrTimeoutWaitAppliedIndex,
       "a member that waits until it has applied enough tells no more"},
      {kErrClusterVersionUnavailable, "there is one version of the cluster, which is known"},
      {kErrDowngradeInProcess, "no downgrade ever begins"},
  };
  return errors;
}

}  // namespace pontoon::testing
