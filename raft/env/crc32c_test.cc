#include "raft/env/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "raft/base/prng.h"

namespace pontoon {
namespace {

std::string Ascending() {
  std::string bytes(32, '\0');
  for (int i = 0; i < 32; ++i) bytes[i] = static_cast<char>(i);
  return bytes;
}

// RFC 3720, appendix B.4.
TEST(Crc32c, GivesThePublishedValues) {
  const std::string ascending = Ascending();
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(Crc32c(std::string(ascending.rbegin(), ascending.rend())), 0x113fdb5cu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32c, CanBeTakenInPieces) {
  EXPECT_EQ(ExtendCrc32c(Crc32c("hello "), "world"), Crc32c("hello world"));
  EXPECT_EQ(ExtendCrc32c(Crc32c("hello world"), ""), Crc32c("hello world"));
}

TEST(Crc32c, BothWaysGiveTheSame) {
  if (!crc32c_internal::HasInstruction()) GTEST_SKIP() << "this processor has only one way";
  Prng prng(1);
  std::string bytes(300, '\0');
  for (char& c : bytes) c = static_cast<char>(prng.Next());
  for (size_t begin = 0; begin < 16; ++begin) {
    for (size_t size = 0; begin + size <= bytes.size(); ++size) {
      const absl::string_view part = absl::string_view(bytes).substr(begin, size);
      ASSERT_EQ(crc32c_internal::ExtendWithTables(size, part),
                crc32c_internal::ExtendWithInstruction(size, part));
    }
  }
}

}  // namespace
}  // namespace pontoon
