#include "kv/client/key_prefix.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/rpc.pb.h"

namespace pontoon {
namespace {

const std::string kZero(1, '\0');

TEST(PrefixEnd, IsWhereTheLastByteGrows) {
  EXPECT_EQ(PrefixEnd("abc"), "abd");
  EXPECT_EQ(PrefixEnd("a\x7f"), "a\x80");
  EXPECT_EQ(PrefixEnd("ab\xff"), "ac");
  EXPECT_EQ(PrefixEnd("ab\xff\xff"), "ac");
  EXPECT_EQ(PrefixEnd(kZero), "\x01");
}

TEST(PrefixEnd, ThereIsNoneAboveTheHighestPrefixes) {
  EXPECT_EQ(PrefixEnd("\xff"), kZero);
  EXPECT_EQ(PrefixEnd("\xff\xff"), kZero);
  EXPECT_EQ(PrefixEnd(""), kZero);
}

TEST(ForPrefix, BeginsAtThePrefixAndWithoutOneAtTheLowestKey) {
  const auto some = ForPrefix<etcdserverpb::RangeRequest>("a/");
  EXPECT_EQ(some.key(), "a/");
  EXPECT_EQ(some.range_end(), "a0");
  const auto all = ForPrefix<etcdserverpb::DeleteRangeRequest>("");
  EXPECT_EQ(all.key(), kZero);
  EXPECT_EQ(all.range_end(), kZero);
}

}  // namespace
}  // namespace pontoon
