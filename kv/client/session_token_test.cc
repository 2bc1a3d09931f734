#include "kv/client/session_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "raft/env/crc32c.h"

namespace pontoon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr SessionToken kToken{.cluster_id = 0x8e9e05c52164694d, .revision = 1234};

std::string WhyRefused(absl::string_view text) {
  const auto token = DecodeSessionToken(text);
  EXPECT_EQ(token.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(token.status().message());
}

// A text whose checksum is right, whatever stands in it.
std::string WithChecksum(absl::string_view text) {
  return absl::StrCat(text, "-", absl::Hex(Crc32c(text), absl::kZeroPad8));
}

TEST(SessionToken, IsATextThatStaysTheSame) {
  EXPECT_EQ(EncodeSessionToken(kToken), WithChecksum("a-8e9e05c52164694d-1234"));
  EXPECT_EQ(EncodeSessionToken(kToken), "a-8e9e05c52164694d-1234-5c7cf2eb")
      << "others hold tokens of this format";
  EXPECT_THAT(EncodeSessionToken({.cluster_id = 7, .revision = 0}),
              StartsWith("a-0000000000000007-0-"));
}

TEST(SessionToken, ComesBackFromItsText) {
  for (const SessionToken& token : {kToken, SessionToken(),
                                    SessionToken{.cluster_id = std::numeric_limits<uint64_t>::max(),
                                    .revision = std::numeric_limits<int64_t>::max()}}) {
    const auto decoded = DecodeSessionToken(EncodeSessionToken(token));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, token);
  }
}

TEST(SessionToken, NeedsNoQuotes) {
  for (const char c : EncodeSessionToken(kToken)) {
    EXPECT_TRUE(absl::ascii_isalnum(c) || c == '-') << c;
  }
}

TEST(SessionToken, WithAnyCharacterAlteredIsRefused) {
  const std::string text = EncodeSessionToken(kToken);
  for (size_t i = 0; i < text.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string altered = text;
      altered[i] = static_cast<char>(c);
      if (altered != text) WhyRefused(altered);
    }
  }
}

TEST(SessionToken, WithAPieceMissingOrAddedIsRefused) {
  const std::string text = EncodeSessionToken(kToken);
  for (size_t size = 0; size < text.size(); ++size) {
    WhyRefused(text.substr(0, size));
    WhyRefused(text.substr(text.size() - size));
  }
  for (const char* addition : {" ", "\n", "0", "-", "-0"}) {
    WhyRefused(text + addition);
    WhyRefused(addition + text);
  }
}

TEST(SessionToken, HasOneText) {
  WhyRefused(WithChecksum("a-8E9E05C52164694D-1234"));
  WhyRefused(WithChecksum("a-0x8e9e05c52164694d-1234"));
  WhyRefused(WithChecksum("a-8e9e05c52164694d-01234"));
  WhyRefused(WithChecksum("a-8e9e05c52164694d-+1234"));
  WhyRefused(WithChecksum("a-8e9e05c52164694d- 1234"));
  WhyRefused(WithChecksum("a-8e9e05c52164694d-"));
  WhyRefused(WithChecksum("a-8e9e05c52164694d-9223372036854775808"));
  WhyRefused(WithChecksum("a--8e9e05c52164694d-1234"));
}

TEST(SessionToken, SaysWhatIsWrong) {
  EXPECT_EQ(WhyRefused(""), "this is no session token");
  EXPECT_EQ(WhyRefused("1234"), "this is no session token");
  EXPECT_THAT(WhyRefused("a-8e9e05c52164694d-1235-5c7cf2eb"), HasSubstr("mangled"));
  EXPECT_EQ(WhyRefused(WithChecksum("b-8e9e05c52164694d-1234")),
            "a session token of version b, and only a is known");
}

}  // namespace
}  // namespace pontoon
