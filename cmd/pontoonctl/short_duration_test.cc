#include "cmd/pontoonctl/short_duration.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

TEST(ShortDuration, HasTwoOrThreeDigitsThatMatter) {
  EXPECT_EQ(ShortDuration(absl::ZeroDuration()), "0.00 ms");
  EXPECT_EQ(ShortDuration(absl::Microseconds(250)), "0.25 ms");
  EXPECT_EQ(ShortDuration(absl::Microseconds(120'400)), "120 ms");
  EXPECT_EQ(ShortDuration(absl::Milliseconds(7240)), "7.2 s");
  EXPECT_EQ(ShortDuration(absl::Minutes(2)), "120.0 s");
}

}  // namespace
}  // namespace pontoon::ctl
