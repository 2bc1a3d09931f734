#include "kv/client/read_options.h"

#include <gtest/gtest.h>

namespace pontoon {
namespace {

TEST(ReadOptions, AreSaidInTheRequest) {
  const pontoon::v1::ReadOptions plain = ToProto({});
  EXPECT_EQ(plain.consistency(), pontoon::v1::ReadOptions::LINEARIZABLE);
  EXPECT_FALSE(plain.has_max_staleness());
  EXPECT_EQ(plain.min_revision(), 0);

  EXPECT_EQ(ToProto({.consistency = Consistency::kLease}).consistency(),
            pontoon::v1::ReadOptions::LEASE);

  const pontoon::v1::ReadOptions bounded = ToProto({.consistency = Consistency::kFollower,
                                                    .max_staleness = absl::Milliseconds(2500),
                                                    .min_revision = 17});
  EXPECT_EQ(bounded.consistency(), pontoon::v1::ReadOptions::FOLLOWER);
  EXPECT_EQ(bounded.max_staleness().seconds(), 2);
  EXPECT_EQ(bounded.max_staleness().nanos(), 500'000'000);
  EXPECT_EQ(bounded.min_revision(), 17);
}

TEST(ReadInfo, SaysHowTheReadWasServed) {
  etcdserverpb::RangeResponse response;
  response.mutable_header()->set_cluster_id(9);
  response.mutable_header()->set_member_id(3);
  response.mutable_header()->set_raft_term(4);
  response.mutable_header()->set_revision(17);
  EXPECT_EQ(ReadInfoOf(response).staleness, std::nullopt) << "nothing is proven";

  response.mutable_read_report()->set_consistency(pontoon::v1::ReadOptions::FOLLOWER);
  response.mutable_read_report()->mutable_staleness_bound()->set_seconds(1);
  response.mutable_read_report()->mutable_staleness_bound()->set_nanos(250'000'000);
  const ReadInfo info = ReadInfoOf(response);
  EXPECT_EQ(info.cluster_id, 9u);
  EXPECT_EQ(info.member_id, 3u);
  EXPECT_EQ(info.term, 4u);
  EXPECT_EQ(info.revision, 17);
  EXPECT_EQ(info.consistency, Consistency::kFollower);
  EXPECT_EQ(info.staleness, absl::Milliseconds(1250));
}

}  // namespace
}  // namespace pontoon
