#include "kv/client/hedge_delay.h"

#include <gtest/gtest.h>

namespace pontoon {
namespace {

TEST(HedgeDelay, IsWhatItIsToldToBe) {
  HedgeDelay delay(absl::Milliseconds(7));
  EXPECT_EQ(delay.Get(), absl::Milliseconds(7));
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) delay.Record(absl::Milliseconds(500));
  EXPECT_EQ(delay.Get(), absl::Milliseconds(7));
}

TEST(HedgeDelay, WaitsForEnoughReads) {
  HedgeDelay delay(std::nullopt);
  for (size_t i = 0; i + 1 < HedgeDelay::kEnough; ++i) delay.Record(absl::Milliseconds(5));
  EXPECT_EQ(delay.Get(), HedgeDelay::kFirst);
  delay.Record(absl::Milliseconds(5));
  EXPECT_EQ(delay.Get(), absl::Milliseconds(5));
}

TEST(HedgeDelay, IsBeyondMostReads) {
  HedgeDelay delay(std::nullopt);
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) {
    delay.Record(i % 32 == 0 ? absl::Milliseconds(900) : absl::Milliseconds(4));  // 3 % are slow
  }
  EXPECT_EQ(delay.Get(), absl::Milliseconds(4));
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) {
    delay.Record(i % 8 == 0 ? absl::Milliseconds(900) : absl::Milliseconds(4));  // 12 % are
  }
  EXPECT_EQ(delay.Get(), absl::Milliseconds(900));
}

TEST(HedgeDelay, ForgetsWhatIsLongAgo) {
  HedgeDelay delay(std::nullopt);
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) delay.Record(absl::Milliseconds(300));
  EXPECT_EQ(delay.Get(), absl::Milliseconds(300));
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) delay.Record(absl::Milliseconds(10));
  EXPECT_EQ(delay.Get(), absl::Milliseconds(10));
}

TEST(HedgeDelay, IsBounded) {
  HedgeDelay delay(std::nullopt);
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) delay.Record(absl::Microseconds(50));
  EXPECT_EQ(delay.Get(), HedgeDelay::kMin);
  for (size_t i = 0; i < HedgeDelay::kRecent; ++i) delay.Record(absl::Seconds(9));
  EXPECT_EQ(delay.Get(), HedgeDelay::kMax);
}

}  // namespace
}  // namespace pontoon
