#include "kv/service/member_id.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pontoon {
namespace {

const std::vector<std::string> kUrls = {"http://a:2380", "http://b:2380"};
constexpr absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// The id that every etcd prints which is started without flags.
TEST(MemberId, OfAFounderIsEtcds) {
  EXPECT_EQ(FounderIdOf("http://localhost:2380", "etcd-cluster"), NodeId(0x8e9e05c52164694d));
}

TEST(MemberId, DoesNotDependOnTheOrderOfTheUrls) {
  EXPECT_EQ(AddedMemberIdOf(kUrls, "east", kNow),
            AddedMemberIdOf({kUrls[1], kUrls[0]}, "east", kNow));
}

TEST(MemberId, OfAnAddedMemberIsItsAlone) {
  const NodeId id = AddedMemberIdOf(kUrls, "east", kNow);
  EXPECT_NE(id, AddedMemberIdOf(kUrls, "east", kNow + absl::Nanoseconds(1)));
  EXPECT_NE(id, AddedMemberIdOf(kUrls, "west", kNow));
  EXPECT_NE(id, AddedMemberIdOf({kUrls[0]}, "east", kNow));
  EXPECT_NE(AddedMemberIdOf({kUrls[0]}, "east", kNow), FounderIdOf(kUrls[0], "east"));
}

}  // namespace
}  // namespace pontoon
