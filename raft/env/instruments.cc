#include "raft/env/instruments.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace pontoon {
namespace {

size_t BucketOf(int64_t nanos) {
  if (nanos <= DurationHistogram::kFirstBoundNanos) return 0;
  const auto quotient =
      static_cast<uint64_t>((nanos - 1) / DurationHistogram::kFirstBoundNanos);  // at least 1
  return std::min<size_t>(std::bit_width(quotient), DurationHistogram::kBounds);
}

}  // namespace

uint64_t DurationHistogram::Reading::count() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

DurationHistogram::Reading& DurationHistogram::Reading::operator+=(const Reading& other) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum += other.sum;
  return *this;
}

void DurationHistogram::Record(absl::Duration duration) {
  const int64_t nanos = std::max<int64_t>(absl::ToInt64Nanoseconds(duration), 0);
  counts_[BucketOf(nanos)].fetch_add(1, std::memory_order_relaxed);
  sum_nanos_.fetch_add(nanos, std::memory_order_relaxed);
}

DurationHistogram::Reading DurationHistogram::Read() const {
  Reading reading;
  for (size_t i = 0; i < counts_.size(); ++i) {
    reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  reading.sum = absl::Nanoseconds(sum_nanos_.load(std::memory_order_relaxed));
  return reading;
}

}  // namespace pontoon
