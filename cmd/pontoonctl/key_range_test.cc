#include "cmd/pontoonctl/key_range.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

const std::string kZero(1, '\0');

TEST(KeyRange, APrefixEndsWhereItsLastByteGrows) {
  const struct {
    std::string prefix;
    std::string key;
    std::string end;
  } cases[] = {
      {"a", "a", "b"},
      {"zone/", "zone/", "zone0"},
      {"a\xff", "a\xff", "b"},
      {"a\xff\xff", "a\xff\xff", "b"},
      {"a\x7f", "a\x7f", "a\x80"},
      {"\xff", "\xff", kZero},
      {"\xff\xff", "\xff\xff", kZero},
      {kZero, kZero, "\x01"},
      {"", kZero, kZero},
  };
  for (const auto& c : cases) {
    const KeyRange range = KeyRange::Prefix(c.prefix);
    EXPECT_EQ(HexEscape(range.key), HexEscape(c.key));
    EXPECT_EQ(HexEscape(range.end), HexEscape(c.end)) << HexEscape(c.prefix);
  }
}

TEST(KeyRange, FromAKeyHasNoUpperEnd) {
  EXPECT_EQ(KeyRange::From("b").key, "b");
  EXPECT_EQ(KeyRange::From("b").end, kZero);
  EXPECT_EQ(KeyRange::From("").key, kZero);
}

TEST(HexEscape, ShowsEveryByte) {
  EXPECT_EQ(HexEscape("az"), "\\x61\\x7a");
  EXPECT_EQ(HexEscape(std::string("\0\xff", 2)), "\\x00\\xff");
  EXPECT_EQ(HexEscape(""), "");
}

}  // namespace
}  // namespace pontoon::ctl
