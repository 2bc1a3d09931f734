#include "cmd/pontoonctl/latency_histogram.h"

#include <gtest/gtest.h>

namespace pontoon::ctl {
namespace {

TEST(LatencyHistogram, OfNothingIsZero) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.Mean(), absl::ZeroDuration());
  EXPECT_EQ(empty.Max(), absl::ZeroDuration());
  EXPECT_EQ(empty.Quantile(0.5), absl::ZeroDuration());
}

TEST(LatencyHistogram, OneValueIsEveryQuantile) {
  for (int64_t ns : {int64_t{0}, int64_t{1}, int64_t{127}, int64_t{128}, int64_t{1'000'003},
                     int64_t{3'600'000'000'000}, INT64_MAX}) {
    LatencyHistogram histogram;
    histogram.Record(absl::Nanoseconds(ns));
    EXPECT_EQ(histogram.Quantile(0.001), absl::Nanoseconds(ns));
    EXPECT_EQ(histogram.Quantile(1), absl::Nanoseconds(ns));
    EXPECT_EQ(histogram.Max(), absl::Nanoseconds(ns));
  }
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int ns = 1; ns <= 100; ++ns) histogram.Record(absl::Nanoseconds(ns));
  EXPECT_EQ(histogram.Quantile(0.5), absl::Nanoseconds(50));
  EXPECT_EQ(histogram.Quantile(0.99), absl::Nanoseconds(99));
  EXPECT_EQ(histogram.Quantile(0.999), absl::Nanoseconds(100));
  EXPECT_EQ(histogram.Mean(), absl::Nanoseconds(50.5));
}

TEST(LatencyHistogram, LargeValuesAreWithinAPercentAndNeverTooSmall) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 100'000; ++us) histogram.Record(absl::Microseconds(us));
  for (double quantile : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const double truth_us = quantile * 100'000;
    const double measured_us = absl::ToDoubleMicroseconds(histogram.Quantile(quantile));
    EXPECT_GE(measured_us, truth_us) << quantile;
    EXPECT_LE(measured_us, truth_us * 1.008) << quantile;
  }
  EXPECT_EQ(histogram.Quantile(1), absl::Microseconds(100'000));
  EXPECT_EQ(histogram.Mean(), absl::Microseconds(50'000.5));
}

TEST(LatencyHistogram, BelowZeroCountsAsZero) {
  LatencyHistogram histogram;
  histogram.Record(absl::Nanoseconds(-5));
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.Max(), absl::ZeroDuration());
}

TEST(LatencyHistogram, MergingIsTheSameAsRecordingInOne) {
  LatencyHistogram a, b, both;
  for (int i = 1; i <= 1000; ++i) {
    const absl::Duration latency = absl::Microseconds(i * i);
    (i % 3 == 0 ? a : b).Record(latency);
    both.Record(latency);
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.Max(), both.Max());
  EXPECT_EQ(a.Mean(), both.Mean());
  for (double quantile : {0.1, 0.5, 0.99}) EXPECT_EQ(a.Quantile(quantile), both.Quantile(quantile));
}

}  // namespace
}  // namespace pontoon::ctl
