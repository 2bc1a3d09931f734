// What a learner answers: what is about its own state alone, and nothing else until it has a vote.
// Both programs are asked the same, so that what is expected here is what etcd's clients expect.

#include <cstddef>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "proto/rpc.grpc.pb.h"
#include "proto/v3election.grpc.pb.h"
#include "proto/v3lock.grpc.pb.h"
#include "tests/integration/calls.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::KV;
using etcdserverpb::Lease;
using etcdserverpb::Maintenance;
using etcdserverpb::RangeRequest;

constexpr char kRefusal[] = "etcdserver: rpc not supported for learner";

RangeRequest RangeOf(const std::string& key, bool serializable) {
  RangeRequest request;
  request.set_key(key);
  request.set_serializable(serializable);
  return request;
}

class LearnerTest : public ::testing::TestWithParam<Program> {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK(cluster_.WaitForLeader());
    ASSERT_OK(cluster_.client(0).Put("k", "v"));
    learner_ = cluster_.AddNode();
    const auto added = cluster_.client(0).MemberAddAsLearner(cluster_.peer_url(learner_));
    ASSERT_OK(added);
    id_ = added.response.member().id();
    ASSERT_OK(cluster_.Start(learner_));
    // The status is one of the things that it does answer, so it may tell when it is there.
    ASSERT_TRUE(Eventually([this] {
      const auto status = client().Status();
      const auto found = client().Get("k", ReadMode::kSerializable);
      return status.ok() && status.response.islearner() && found.ok() &&
             found.response.kvs_size() == 1;
    }));
  }

  Client& client() { return cluster_.client(learner_); }

  // What the learner says to a call of `method`.
  template <typename Service, typename Request, typename Response>
  grpc::Status Ask(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                         Response*),
                   const Request& request = Request()) {
    return Call<Service>(client(), method, request).status;
  }

  void ExpectRefused(const char* what, const grpc::Status& status) {
    SCOPED_TRACE(what);
    EXPECT_EQ(status.error_message(), kRefusal);
    // etcd had another code for it until 3.6.
    EXPECT_EQ(status.error_code(), GetParam() == Program::kPontoon
                                       ? grpc::StatusCode::FAILED_PRECONDITION
                                       : grpc::StatusCode::UNAVAILABLE);
  }

  Cluster cluster_{{.program = GetParam(), .node_count = 1}};
  int learner_ = 0;
  uint64_t id_ = 0;
};

TEST_P(LearnerTest, RefusesWhatNeedsAVote) {
  const RangeRequest linearizable = RangeOf("k", false);
  ExpectRefused("range", Ask<KV>(&KV::Stub::Range, linearizable));
  ExpectRefused("put", Ask<KV>(&KV::Stub::Put));
  ExpectRefused("delete", Ask<KV>(&KV::Stub::DeleteRange));
  ExpectRefused("txn", Ask<KV>(&KV::Stub::Txn));
  etcdserverpb::TxnRequest stale_reads;
  *stale_reads.add_success()->mutable_request_range() = RangeOf("k", true);
  ExpectRefused("serializable txn", Ask<KV>(&KV::Stub::Txn, stale_reads));
  ExpectRefused("compact", Ask<KV>(&KV::Stub::Compact));
  if (GetParam() == Program::kPontoon) {  // a later call than this etcd has
    ExpectRefused("range stream",
                  EndOfStream<KV>(client(), &KV::Stub::RangeStream, RangeOf("k", true)));
  }

  ExpectRefused("grant", Ask<Lease>(&Lease::Stub::LeaseGrant));
  ExpectRefused("revoke", Ask<Lease>(&Lease::Stub::LeaseRevoke));
  ExpectRefused("time to live", Ask<Lease>(&Lease::Stub::LeaseTimeToLive));
  ExpectRefused("leases", Ask<Lease>(&Lease::Stub::LeaseLeases));
  ExpectRefused("keep alive", EndOfStream<Lease>(client(), &Lease::Stub::LeaseKeepAlive,
                                                 etcdserverpb::LeaseKeepAliveRequest()));

  using etcdserverpb::Watch;
  ExpectRefused("watch", EndOfStream<Watch>(
                             client(), &Watch::Stub::Watch,
                             Parse<etcdserverpb::WatchRequest>("create_request { key: 'k' }")));

  using Members = etcdserverpb::Cluster;
  ExpectRefused("member list", Ask<Members>(&Members::Stub::MemberList));
  ExpectRefused("member add", Ask<Members>(&Members::Stub::MemberAdd));
  ExpectRefused("member remove", Ask<Members>(&Members::Stub::MemberRemove));
  ExpectRefused("member update", Ask<Members>(&Members::Stub::MemberUpdate));
  ExpectRefused("member promote", Ask<Members>(&Members::Stub::MemberPromote));

  ExpectRefused("alarm", Ask<Maintenance>(&Maintenance::Stub::Alarm));
  ExpectRefused("defragment", Ask<Maintenance>(&Maintenance::Stub::Defragment));
  ExpectRefused("hash", Ask<Maintenance>(&Maintenance::Stub::Hash));
  ExpectRefused("hash kv", Ask<Maintenance>(&Maintenance::Stub::HashKV));
  ExpectRefused("move leader", Ask<Maintenance>(&Maintenance::Stub::MoveLeader));

  using v3electionpb::Election;
  using v3lockpb::Lock;
  ExpectRefused("lock", Ask<Lock>(&Lock::Stub::Lock));
  ExpectRefused("unlock", Ask<Lock>(&Lock::Stub::Unlock));
  ExpectRefused("leader", Ask<Election>(&Election::Stub::Leader));
  ExpectRefused("campaign", Ask<Election>(&Election::Stub::Campaign));
  ExpectRefused("proclaim", Ask<Election>(&Election::Stub::Proclaim));
  ExpectRefused("resign", Ask<Election>(&Election::Stub::Resign));
}

TEST_P(LearnerTest, AnswersWhatIsAboutItsOwnState) {
  EXPECT_OK(client().Get("k", ReadMode::kSerializable));
  EXPECT_OK(client().Status());
  if (GetParam() == Program::kEtcd) return;  // which allows it since 3.5

  CallContext context;
  const auto stub = Maintenance::NewStub(client().channel());
  const auto snapshot = stub->Snapshot(context.get(), etcdserverpb::SnapshotRequest());
  etcdserverpb::SnapshotResponse piece;
  size_t bytes = 0;
  while (snapshot->Read(&piece)) bytes += piece.blob().size();
  const grpc::Status status = snapshot->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_GT(bytes, 0u);
}

TEST_P(LearnerTest, AnswersEverythingOnceItHasAVote) {
  ASSERT_OK(cluster_.client(0).MemberPromote(id_));
  EXPECT_TRUE(Eventually([this] { return client().Get("k").ok(); }));
  EXPECT_OK(client().MemberList());
}

INSTANTIATE_TEST_SUITE_P(Programs, LearnerTest,
                         ::testing::Values(Program::kPontoon, Program::kEtcd),
                         [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace pontoon::testing
