// A cluster is lost, and another one begins with a snapshot of it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/integration/calls.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/tool.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::Lease;
using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseTimeToLiveRequest;
using etcdserverpb::LeaseTimeToLiveResponse;
using ::testing::HasSubstr;

constexpr int64_t kLease = 77;
constexpr int kKeys = 2000;

class RestoreTest : public ::testing::Test {
 protected:
  std::string snapshot() const { return folder_.path() / "backup.db"; }

  // Makes a cluster, a snapshot of it, and later changes; and has it lost.
  void LoseCluster() {
    Cluster cluster;
    ASSERT_OK(cluster.StartAll());
    ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
    for (int i = 0; i < kKeys; ++i) ASSERT_OK(cluster.client(leader).Put(absl::StrCat(i), "old"));
    LeaseGrantRequest grant;
    grant.set_id(kLease);
    grant.set_ttl(1000);
    LeaseGrantResponse granted;
    const auto leases = Lease::NewStub(cluster.client(leader).channel());
    ASSERT_TRUE(leases->LeaseGrant(CallContext().get(), grant, &granted).ok());
    etcdserverpb::PutRequest leased;
    leased.set_key("leased");
    leased.set_lease(kLease);
    const auto last = cluster.client(leader).Put(leased);
    ASSERT_OK(last);
    revision_ = last.response.header().revision();
    cluster_id_ = last.response.header().cluster_id();

    const int other = (leader + 1) % cluster.size();
    ASSERT_OK(cluster.WaitForCatchUp(other));
    const CommandResult saved =
        RunTool({"--endpoints", cluster.address(other), "snapshot", "save", snapshot()});
    ASSERT_TRUE(saved.ok()) << saved.err;
    ASSERT_OK(cluster.client(leader).Put("later", "lost"));
    cluster.KillAll();
  }

  // Makes the folder of a node of `cluster`.
  CommandResult Restore(const Cluster& cluster, int node,
                        const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"snapshot", "restore", snapshot()};
    const Flags flags = cluster.FlagsOf(node);
    for (const char* name : {"name", "data-dir", "initial-cluster", "initial-cluster-token",
                             "initial-advertise-peer-urls"}) {
      if (const auto found = flags.find(name); found != flags.end()) {
        words.push_back(absl::StrCat("--", name, "=", found->second));
      }
    }
    words.insert(words.end(), more.begin(), more.end());
    return RunTool(words);
  }

  const TempFolder folder_;
  int64_t revision_ = 0;
  uint64_t cluster_id_ = 0;
};

TEST_F(RestoreTest, ANewClusterGoesOnFromTheSnapshot) {
  LoseCluster();
  Cluster cluster;
  for (int node : cluster.AllNodes()) {
    const CommandResult restored = Restore(cluster, node);
    ASSERT_TRUE(restored.ok()) << restored.err;
    EXPECT_THAT(restored.out, HasSubstr(absl::StrCat(kKeys + 1)));
  }
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  Client& client = cluster.client(leader);

  const auto all = client.Range(PrefixRange(""));
  ASSERT_OK(all);
  EXPECT_EQ(all.response.count(), kKeys + 1) << "and not what came later";
  EXPECT_EQ(all.response.header().revision(), revision_);
  EXPECT_NE(all.response.header().cluster_id(), cluster_id_);
  const auto put = client.Put("new", "1");
  ASSERT_OK(put);
  EXPECT_EQ(put.response.header().revision(), revision_ + 1);
  const auto members = client.MemberList();
  ASSERT_OK(members);
  EXPECT_EQ(members.response.members_size(), cluster.size());

  LeaseTimeToLiveRequest request;
  request.set_id(kLease);
  request.set_keys(true);
  LeaseTimeToLiveResponse lease;
  ASSERT_TRUE(
      Lease::NewStub(client.channel())->LeaseTimeToLive(CallContext().get(), request, &lease).ok());
  EXPECT_EQ(lease.grantedttl(), 1000);
  EXPECT_EQ(lease.keys_size(), 1);

  // Who comes later has no log to begin with, and gets the state.
  const int fourth = cluster.AddNode();
  const auto added = client.MemberAddAsLearner(cluster.peer_url(fourth));
  ASSERT_OK(added);
  ASSERT_OK(cluster.Start(fourth));
  EXPECT_TRUE(Eventually(
      [&] { return cluster.client(leader).MemberPromote(added.response.member().id()).ok(); }));
  ASSERT_OK(cluster.WaitForCatchUp(fourth));
  const auto there = cluster.client(fourth).Get("1", ReadMode::kSerializable);
  ASSERT_OK(there);
  EXPECT_EQ(there.response.kvs_size(), 1);

  cluster.KillAll();
  ASSERT_OK(cluster.StartAll());
  ASSERT_OK(cluster.WaitForLeader());
  EXPECT_EQ(cluster.client(fourth).Range(PrefixRange("")).response.count(), kKeys + 2);
}

TEST_F(RestoreTest, ClientsNeedNotSeeTimeGoBack) {
  LoseCluster();
  Cluster cluster({.node_count = 1});
  const CommandResult restored = Restore(cluster, 0, {"--bump-revision=1000", "--mark-compacted"});
  ASSERT_TRUE(restored.ok()) << restored.err;
  ASSERT_OK(cluster.StartAll());
  const auto put = cluster.client(0).Put("new", "1");
  ASSERT_OK(put);
  EXPECT_EQ(put.response.header().revision(), revision_ + 1001);
  etcdserverpb::RangeRequest old;
  old.set_key("1");
  old.set_revision(revision_ + 1);
  EXPECT_EQ(cluster.client(0).Range(old).status.error_message(),
            "etcdserver: mvcc: required revision has been compacted");
  EXPECT_EQ(cluster.client(0).Get("1").response.kvs_size(), 1);
}

TEST_F(RestoreTest, RefusesWhatWouldNotDo) {
  LoseCluster();
  Cluster cluster({.node_count = 1});
  ASSERT_TRUE(Restore(cluster, 0).ok());
  const CommandResult again = Restore(cluster, 0);
  EXPECT_FALSE(again.ok());
  EXPECT_THAT(again.err, HasSubstr("belongs to member node1 already"));

  const CommandResult nothing = RunTool({"snapshot", "restore", folder_.path() / "none.db"});
  EXPECT_FALSE(nothing.ok());
  EXPECT_THAT(nothing.err, HasSubstr("No such file"));
}

}  // namespace
}  // namespace pontoon::testing
