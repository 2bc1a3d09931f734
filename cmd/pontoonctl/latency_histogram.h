// LatencyHistogram: how long many operations took, in little memory.

#ifndef PONTOON_CMD_PONTOONCTL_LATENCY_HISTOGRAM_H_
#define PONTOON_CMD_PONTOONCTL_LATENCY_HISTOGRAM_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace pontoon::ctl {

// Counts latencies in buckets whose width grows with the value, after Gil Tene's HdrHistogram:
// every power of two of nanoseconds is cut in 128 equal parts, so a quantile is at most 1/128 (0.8
// %) above the true one, from a nanosecond to centuries, in 58 KiB. Mean and maximum are exact.
//
// Not thread safe: each thread keeps its own, and Merge adds them up at the end.
class LatencyHistogram {
 public:
  LatencyHistogram();

  // Below zero counts as zero.
  void Record(absl::Duration latency);

  void Merge(const LatencyHistogram& other);

  uint64_t count() const { return count_; }

  // Of the following, zero if nothing was recorded.
  absl::Duration Mean() const;
  absl::Duration Max() const { return absl::Nanoseconds(max_ns_); }

  // The least value, up to the width of its bucket, that at least the share `quantile`, in (0, 1],
  // of all values does not exceed.
  absl::Duration Quantile(double quantile) const;

 private:
  static size_t BucketOf(uint64_t ns);
  static uint64_t HighestOf(size_t bucket);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t max_ns_ = 0;
  // Not an integer: 2^64 ns are 584 years, which a million clients waiting for minutes may reach.
  double sum_ns_ = 0;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_LATENCY_HISTOGRAM_H_
