#include "kv/client/lease_term.h"

#include <gtest/gtest.h>

namespace pontoon {
namespace {

Instant At(int seconds) { return Instant() + absl::Seconds(seconds); }

TEST(LeaseTerm, CountsFromTheSending) {
  LeaseTerm term(At(100), absl::Seconds(30));
  EXPECT_EQ(term.expiry(), At(130));
  EXPECT_EQ(term.next_renewal(), At(110));
  term.OnRenewed(At(112), absl::Seconds(30));
  EXPECT_EQ(term.expiry(), At(142));
  EXPECT_EQ(term.next_renewal(), At(122));
}

TEST(LeaseTerm, TakesTheTimeThatTheServerGives) {
  LeaseTerm term(At(100), absl::Seconds(30));
  term.OnRenewed(At(110), absl::Seconds(60));
  EXPECT_EQ(term.ttl(), absl::Seconds(60));
  EXPECT_EQ(term.expiry(), At(170));
}

TEST(LeaseTerm, IsNotSetBackByALateAnswer) {
  LeaseTerm term(At(100), absl::Seconds(30));
  term.OnRenewed(At(120), absl::Seconds(30));
  term.OnRenewed(At(110), absl::Seconds(30));
  EXPECT_EQ(term.expiry(), At(150));
}

}  // namespace
}  // namespace pontoon
