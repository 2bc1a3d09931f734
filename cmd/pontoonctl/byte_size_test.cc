#include "cmd/pontoonctl/byte_size.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

TEST(FormatBytes, TakesTheUnitThatFits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytes(2560), "2.5 KiB");
  EXPECT_EQ(FormatBytes(1 << 20), "1.0 MiB");
  EXPECT_EQ(FormatBytes(uint64_t{3} << 30), "3072.0 MiB");
}

}  // namespace
}  // namespace pontoon::ctl
