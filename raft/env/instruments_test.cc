#include "raft/env/instruments.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pontoon {
namespace {

size_t BucketOf(absl::Duration duration) {
  DurationHistogram histogram;
  histogram.Record(duration);
  const DurationHistogram::Reading reading = histogram.Read();
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    if (reading.counts[i] > 0) return i;
  }
  return reading.counts.size();
}

TEST(DurationHistogram, ABoundBelongsToTheBucketBelowIt) {
  EXPECT_EQ(BucketOf(absl::ZeroDuration()), 0u);
  for (size_t i = 0; i < DurationHistogram::kBounds; ++i) {
    const absl::Duration bound = absl::Nanoseconds(DurationHistogram::BoundNanos(i));
    EXPECT_EQ(BucketOf(bound), i) << bound;
    EXPECT_EQ(BucketOf(bound + absl::Nanoseconds(1)), i + 1) << bound;
  }
  EXPECT_EQ(BucketOf(absl::Hours(1)), DurationHistogram::kBounds);
  EXPECT_EQ(DurationHistogram::BoundNanos(3), 1'000'000);  // as in etcd's histograms of the disk
}

TEST(DurationHistogram, WhatIsBelowZeroCountsAsZero) {
  DurationHistogram histogram;
  histogram.Record(absl::Seconds(-1));
  EXPECT_EQ(histogram.Read().counts[0], 1u);
  EXPECT_EQ(histogram.Read().sum, absl::ZeroDuration());
}

TEST(DurationHistogram, ReadingsAddUp) {
  DurationHistogram one, other;
  one.Record(absl::Microseconds(100));
  other.Record(absl::Microseconds(120));
  other.Record(absl::Hours(1));
  DurationHistogram::Reading sum = one.Read();
  sum += other.Read();
  EXPECT_EQ(sum.counts.front(), 2u);
  EXPECT_EQ(sum.counts.back(), 1u);
  EXPECT_EQ(sum.sum, absl::Hours(1) + absl::Microseconds(220));
}

TEST(Instruments, NothingIsLostBetweenThreads) {
  constexpr int kThreads = 4, kEach = 10'000;
  Counter counter;
  DurationHistogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        counter.Add(2);
        histogram.Record(absl::Microseconds(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), uint64_t{2} * kThreads * kEach);
  EXPECT_EQ(histogram.Read().count(), uint64_t{kThreads} * kEach);
  EXPECT_EQ(histogram.Read().sum, kThreads * absl::Microseconds(kEach * (kEach - 1) / 2));
}

}  // namespace
}  // namespace pontoon
