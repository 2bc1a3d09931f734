#include "kv/client/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace pontoon {
namespace {

constexpr BackoffOptions kOptions{.first = absl::Milliseconds(10),
                                  .longest = absl::Milliseconds(80)};

TEST(Backoff, DoublesUpToTheLongest) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(kOptions, seed);
    for (const int whole : {10, 20, 40, 80, 80, 80}) {
      const absl::Duration pause = backoff.Next();
      EXPECT_GE(pause, absl::Milliseconds(whole) / 2);
      EXPECT_LE(pause, absl::Milliseconds(whole));
    }
  }
}

TEST(Backoff, BeginsAnew) {
  Backoff backoff(kOptions, 1);
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  EXPECT_LE(backoff.Next(), kOptions.first);
}

TEST(Backoff, DiffersFromClientToClient) {
  std::set<absl::Duration> pauses;
  for (uint64_t seed = 0; seed < 100; ++seed) pauses.insert(Backoff(kOptions, seed).Next());
  EXPECT_GT(pauses.size(), 50u);
}

}  // namespace
}  // namespace pontoon
