#include "kv/client/once_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pontoon {
namespace {

using ::testing::Optional;

TEST(OnceLedger, GivesEachSequenceOnce) {
  OnceLedger ledger;
  EXPECT_THAT(ledger.Begin(), Optional(1u));
  EXPECT_THAT(ledger.Begin(), Optional(2u));
  ledger.End(2);
  ledger.End(1);
  EXPECT_THAT(ledger.Begin(), Optional(3u));
}

TEST(OnceLedger, SaysBelowWhatAllAreAnswered) {
  OnceLedger ledger;
  EXPECT_EQ(ledger.answered_below(), 1u);
  for (int i = 0; i < 3; ++i) ledger.Begin();
  EXPECT_EQ(ledger.answered_below(), 1u);
  ledger.End(2);
  EXPECT_EQ(ledger.answered_below(), 1u);
  ledger.End(1);
  EXPECT_EQ(ledger.answered_below(), 3u);
  ledger.End(3);
  EXPECT_EQ(ledger.answered_below(), 4u);
}

TEST(OnceLedger, BoundsHowFarAheadWritesAre) {
  OnceLedger ledger;
  const uint64_t slow = *ledger.Begin();
  for (uint64_t i = 1; i < OnceLedger::kAheadMax; ++i) {
    const std::optional<uint64_t> sequence = ledger.Begin();
    ASSERT_TRUE(sequence.has_value()) << i;
    ledger.End(*sequence);
  }
  EXPECT_EQ(ledger.Begin(), std::nullopt);
  ledger.End(slow);
  EXPECT_TRUE(ledger.Begin().has_value());
}

}  // namespace
}  // namespace pontoon
