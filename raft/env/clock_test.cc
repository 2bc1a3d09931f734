#include "raft/env/clock.h"

#include <gtest/gtest.h>

namespace pontoon {
namespace {

TEST(SystemClock, NeverGoesBack) {
  Instant last = Clock::System()->Now();
  EXPECT_GT(last, Instant::InfinitePast());
  for (int i = 0; i < 1000; ++i) {
    const Instant now = Clock::System()->Now();
    EXPECT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace pontoon
