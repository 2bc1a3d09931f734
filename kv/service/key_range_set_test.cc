#include "kv/service/key_range_set.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "raft/base/prng.h"

namespace pontoon::kv {
namespace {

const std::string kOpenEnd("\0", 1);

TEST(KeyRangeSet, EmptyContainsNothing) { EXPECT_FALSE(KeyRangeSet().Contains("a")); }

TEST(KeyRangeSet, OneKey) {
  KeyRangeSet set;
  set.Add("b", "");
  EXPECT_TRUE(set.Contains("b"));
  EXPECT_FALSE(set.Contains("a"));
  EXPECT_FALSE(set.Contains("ba"));
  EXPECT_FALSE(set.Contains(std::string("b\0", 2)));
}

TEST(KeyRangeSet, RangeWithoutItsEnd) {
  KeyRangeSet set;
  set.Add("b", "d");
  EXPECT_FALSE(set.Contains("a"));
  EXPECT_TRUE(set.Contains("b"));
  EXPECT_TRUE(set.Contains("cz"));
  EXPECT_FALSE(set.Contains("d"));
}

TEST(KeyRangeSet, RangeWithoutAnEnd) {
  KeyRangeSet set;
  set.Add("b", kOpenEnd);
  EXPECT_FALSE(set.Contains("a"));
  EXPECT_TRUE(set.Contains("b"));
  EXPECT_TRUE(set.Contains("\xff\xff"));
}

TEST(KeyRangeSet, ReversedRangeIsEmpty) {
  KeyRangeSet set;
  set.Add("d", "b");
  EXPECT_FALSE(set.Contains("c"));
  EXPECT_FALSE(set.Contains("d"));
}

// Against a plain set, over a small alphabet where every overlap occurs.
TEST(KeyRangeSet, JoinsOverlapsLikeAPlainSet) {
  const std::string alphabet = "abcdefgh";
  Prng prng(1);
  for (int round = 0; round < 2000; ++round) {
    KeyRangeSet set, other;
    std::set<char> plain;
    for (uint64_t n = prng.Below(6); n > 0; --n) {
      const char begin = alphabet[prng.Below(alphabet.size())];
      const char end = alphabet[prng.Below(alphabet.size())];
      const uint64_t kind = prng.Below(4);
      KeyRangeSet& target = prng.Below(2) ? set : other;
      target.Add(std::string(1, begin), kind == 0   ? ""
                                        : kind == 1 ? kOpenEnd
                                                    : std::string(1, end));
      for (const char c : alphabet) {
        if (kind == 0 ? c == begin : c >= begin && (kind == 1 || c < end)) plain.insert(c);
      }
    }
    set.Add(other);
    for (const char c : alphabet) {
      ASSERT_EQ(set.Contains(std::string(1, c)), plain.count(c) > 0) << c << " round " << round;
    }
  }
}

}  // namespace
}  // namespace pontoon::kv
