// A member whose state is wrong, and of which nothing can be seen from outside, is found, named and
// kept from serving, and serves again once its state was made anew.

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/state_editor.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::AlarmRequest;
using etcdserverpb::AlarmResponse;
using etcdserverpb::HashKVRequest;
using etcdserverpb::HashKVResponse;
using etcdserverpb::Maintenance;

constexpr char kCorrupt[] = "etcdserver: corrupt cluster";

void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
}

AlarmResponse Alarm(Cluster* cluster, int node, const AlarmRequest& request) {
  grpc::ClientContext context;
  SetDeadline(&context);
  AlarmResponse response;
  const grpc::Status status =
      Maintenance::NewStub(cluster->client(node).channel())->Alarm(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

HashKVResponse HashKV(Cluster* cluster, int node) {
  grpc::ClientContext context;
  SetDeadline(&context);
  HashKVResponse response;
  const grpc::Status status = Maintenance::NewStub(cluster->client(node).channel())
                                  ->HashKV(&context, HashKVRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST(DivergenceTest, TheMemberWithAWrongStateIsNamedAndRebuilt) {
  // The log does not go back to the beginning, so the state has to come from a peer.
  Cluster cluster({.extra_flags = {{"snapshot-count", "100"},
                                   {"snapshot-catchup-entries", "10"},
                                   {"log-retention-bytes", "0"}}});
  ASSERT_OK(cluster.StartAll());
  for (int i = 0; i < 500; ++i) ASSERT_OK(cluster.client(0).Put("k", absl::StrCat(i)));
  ASSERT_OK_AND_ASSIGN(const int leader, cluster.WaitForLeader());
  const int wrong = (leader + 1) % cluster.size();
  const int right = (leader + 2) % cluster.size();
  ASSERT_OK(cluster.Stop(wrong));
  ASSERT_OK(FalsifyVersion(cluster.data_folder(wrong), "k"));
  ASSERT_OK(cluster.Start(wrong));
  ASSERT_OK(cluster.WaitForCatchUp(wrong));

  // What is wrong shows once something is made of it.
  ASSERT_OK(cluster.client(right).Put("k", "on top"));
  ASSERT_OK(cluster.WaitForLog(wrong, "differs from that of a majority: it serves nobody"));
  const uint64_t member = cluster.client(wrong).Status().response.header().member_id();
  const std::string alarm = absl::StrCat("memberID:", member, " alarm:CORRUPT ");
  for (const int node : cluster.AllNodes()) {
    EXPECT_TRUE(Eventually([&] {
      const auto status = cluster.client(node).Status();
      return status.ok() && status.response.errors_size() == 1 &&
             status.response.errors(0) == alarm;
    })) << node;
  }
  const auto refused = cluster.client(wrong).Get("k", ReadMode::kSerializable);
  EXPECT_EQ(refused.status.error_message(), kCorrupt);
  EXPECT_EQ(cluster.client(right).Put("k", "v").status.error_message(), kCorrupt);
  const auto read = cluster.client(right).Get("k");
  ASSERT_OK(read);
  EXPECT_EQ(read.response.kvs(0).version(), 501);

  ASSERT_OK(cluster.Stop(wrong));
  Flags rebuild = cluster.FlagsOf(wrong);
  rebuild["rebuild-from-peers"] = "true";
  ASSERT_OK(cluster.StartWith(wrong, rebuild));
  ASSERT_OK(cluster.WaitForCatchUp(wrong));
  AlarmRequest disarm;
  disarm.set_action(AlarmRequest::DEACTIVATE);
  disarm.set_memberid(member);
  disarm.set_alarm(etcdserverpb::CORRUPT);
  EXPECT_EQ(Alarm(&cluster, right, disarm).alarms_size(), 1);
  EXPECT_TRUE(Eventually([&] { return cluster.client(wrong).Get("k").ok(); }));
  ASSERT_OK(cluster.client(wrong).Put("k", "again"));
  const auto rebuilt = cluster.client(wrong).Get("k");
  ASSERT_OK(rebuilt);
  EXPECT_EQ(rebuilt.response.kvs(0).version(), 502);
  ASSERT_OK(cluster.client(right).Get("k")) << "so that it has applied as much";
  const HashKVResponse hash = HashKV(&cluster, wrong), wanted = HashKV(&cluster, right);
  EXPECT_EQ(hash.hash_revision(), wanted.hash_revision());
  EXPECT_EQ(hash.hash(), wanted.hash());
}

}  // namespace
}  // namespace pontoon::testing
