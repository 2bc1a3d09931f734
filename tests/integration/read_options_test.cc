// What a member tells its clients that has lost its leader: as much as it can prove, and no more.

#include <string>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/integration/client.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

using etcdserverpb::RangeRequest;
using pontoon::v1::ReadOptions;

// Shorter than the servers' patience, so that what is refused is refused for this deadline.
constexpr absl::Duration kDeadline = absl::Seconds(2);

class ReadOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    const absl::StatusOr<int> leader = cluster_.WaitForLeader();
    ASSERT_OK(leader);
    follower_ = (*leader + 1) % cluster_.size();
    ASSERT_TRUE(cluster_.client(follower_).Put("k", "1").ok());
  }

  Answer<etcdserverpb::RangeResponse> Read(const ReadOptions& options) {
    Client client(cluster_.address(follower_), {.timeout = kDeadline});
    RangeRequest request;
    request.set_key("k");
    *request.mutable_read_options() = options;
    return client.Range(request);
  }
  static ReadOptions Bounded(absl::Duration max_staleness) {
    ReadOptions options;
    options.set_consistency(ReadOptions::FOLLOWER);
    options.mutable_max_staleness()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(max_staleness)));
    return options;
  }
  // A follower's read of this revision or a later one.
  static ReadOptions From(int64_t revision) {
    ReadOptions options;
    options.set_consistency(ReadOptions::FOLLOWER);
    options.set_min_revision(revision);
    return options;
  }

  void CutOff() {
    for (const int node : cluster_.AllNodesBut(follower_)) cluster_.Pause(node);
  }
  void Reconnect() {
    for (const int node : cluster_.AllNodesBut(follower_)) cluster_.Continue(node);
  }

  Cluster cluster_;
  int follower_ = 0;
};

TEST_F(ReadOptionsTest, AMemberThatIsCutOffProvesLessAndLess) {
  const absl::Duration bound = absl::Milliseconds(500);
  auto answer = Read(Bounded(bound));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.read_report().consistency(), ReadOptions::FOLLOWER);
  ASSERT_TRUE(answer.response.read_report().has_staleness_bound());
  EXPECT_EQ(answer.response.kvs(0).value(), "1");

  CutOff();
  // What it has it gives to whoever takes it as it is.
  ReadOptions any;
  any.set_consistency(ReadOptions::FOLLOWER);
  answer = Read(any);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.kvs(0).value(), "1");

  // The first one may still find a proof that is young enough.
  ASSERT_TRUE(Eventually([&] {
    answer = Read(Bounded(bound));
    return !answer.ok();
  }));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(absl::StartsWith(answer.status.error_message(),
                               "pontoon: the state of this member is to be at most 500ms old, and "
                               "it can be "))
      << answer.status.error_message();

  Reconnect();
  ASSERT_OK(cluster_.WaitForLeader());
  answer = Read(Bounded(bound));
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
}

TEST_F(ReadOptionsTest, ARevisionIsWaitedForAtAMemberThatIsBehind) {
  const auto first = cluster_.client(follower_).Get("k");
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  const int64_t next = first.response.header().revision() + 1;

  CutOff();
  auto answer = Read(From(next - 1));
  EXPECT_TRUE(answer.ok()) << "it has that: " << answer.status.error_message();
  answer = Read(From(next));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(
      absl::StartsWith(answer.status.error_message(), "pontoon: this member has come to revision "))
      << answer.status.error_message();

  Reconnect();
  const absl::StatusOr<int> leader = cluster_.WaitForLeader();
  ASSERT_OK(leader);
  const auto put = cluster_.client(*leader).Put("k", "2");
  ASSERT_TRUE(put.ok()) << put.status.error_message();
  answer = Read(From(put.response.header().revision()));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_GE(answer.response.header().revision(), put.response.header().revision());
  EXPECT_EQ(answer.response.kvs(0).value(), "2");
}

}  // namespace
}  // namespace pontoon::testing
