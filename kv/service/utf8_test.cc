#include "kv/service/utf8.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace pontoon::kv {
namespace {

TEST(Utf8, Text) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("3.6.1"));
  EXPECT_TRUE(IsUtf8(absl::string_view("\0", 1)));
  // The first and the last of each form.
  for (const char* text :
       {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xec\xbf\xbf", "\xed\x80\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf3\xbf\xbf\xbf",
        "\xf4\x80\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << absl::CHexEscape(text);
    EXPECT_TRUE(IsUtf8(std::string("a") + text + "b")) << absl::CHexEscape(text);
    const std::string cut(text, std::string(text).size() - 1);
    EXPECT_EQ(IsUtf8(cut), cut.empty()) << absl::CHexEscape(text);
  }
}

TEST(Utf8, NoText) {
  for (const char* bytes : {
           "\x80",              // a continuation of nothing
           "\xff",              // never used
           "\xc1\xbf",          // overlong
           "\xe0\x9f\xbf",      // overlong
           "\xf0\x8f\xbf\xbf",  // overlong
           "\xed\xa0\x80",      // a surrogate
           "\xf4\x90\x80\x80",  // beyond U+10FFFF
           "\xc2\x41",          // not continued
           "\xe1\x80\xc0",      // not continued
       }) {
    EXPECT_FALSE(IsUtf8(bytes)) << absl::CHexEscape(bytes);
    EXPECT_FALSE(IsUtf8(std::string("3.6.1") + bytes)) << absl::CHexEscape(bytes);
  }
}

}  // namespace
}  // namespace pontoon::kv
