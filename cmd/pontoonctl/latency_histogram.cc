#include "cmd/pontoonctl/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pontoon::ctl {
namespace {

// Buckets per power of two, as a power of two.
constexpr int kPrecisionBits = 7;
constexpr uint64_t kParts = uint64_t{1} << kPrecisionBits;

// Values below kParts have a bucket each; each of the other powers of two has kParts.
constexpr size_t kBuckets = (64 - kPrecisionBits + 1) * kParts;

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(kBuckets) {}

size_t LatencyHistogram::BucketOf(uint64_t ns) {
  if (ns < kParts) return ns;
  const int shift = std::bit_width(ns) - 1 - kPrecisionBits;
  return static_cast<uint64_t>(shift) * kParts + (ns >> shift);
}

uint64_t LatencyHistogram::HighestOf(size_t bucket) {
  if (bucket < kParts) return bucket;
  const size_t shift = bucket / kParts - 1;
  const uint64_t lowest = (bucket - shift * kParts) << shift;
  return lowest + (uint64_t{1} << shift) - 1;
}

void LatencyHistogram::Record(absl::Duration latency) {
  const uint64_t ns = std::max<int64_t>(absl::ToInt64Nanoseconds(latency), 0);
  ++counts_[BucketOf(ns)];
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  max_ns_ = std::max(max_ns_, ns);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

absl::Duration LatencyHistogram::Mean() const {
  if (count_ == 0) return absl::ZeroDuration();
  return absl::Nanoseconds(sum_ns_ / static_cast<double>(count_));
}

absl::Duration LatencyHistogram::Quantile(double quantile) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen > 0 && seen >= wanted) {
      return absl::Nanoseconds(std::min(HighestOf(bucket), max_ns_));
    }
  }
  return absl::ZeroDuration();
}

}  // namespace pontoon::ctl
