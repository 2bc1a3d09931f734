// Instruments: what a part of the program counts and times while it works, for whoever shows it.

#ifndef PONTOON_RAFT_ENV_INSTRUMENTS_H_
#define PONTOON_RAFT_ENV_INSTRUMENTS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace pontoon {

// Counts events; never goes down.
//
// Thread safety: all methods may be called from any thread; none takes a lock, or orders anything.
class Counter {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// Sorts durations into buckets whose bounds double: 125 µs, 250 µs, ... 8.192 s, and all beyond.
// (prometheus-cpp's own histogram takes a lock for each observation.)
//
// Thread safety: all methods may be called from any thread; none takes a lock, or orders anything.
class DurationHistogram {
 public:
  static constexpr size_t kBounds = 17;
  static constexpr int64_t kFirstBoundNanos = 125'000;

  // The upper bound of bucket `bucket` < kBounds: what took exactly so long is in it.
  static constexpr int64_t BoundNanos(size_t bucket) { return kFirstBoundNanos << bucket; }

  struct Reading {
    std::array<uint64_t, kBounds + 1> counts = {};  // of each bucket alone; the last one: beyond
    absl::Duration sum;

    uint64_t count() const;
    Reading& operator+=(const Reading& other);
  };

  // Below zero counts as zero.
  void Record(absl::Duration duration);

  // What was recorded so far. While others record, the sum may be of slightly other ones than the
  // counts.
  Reading Read() const;

 private:
  std::array<std::atomic<uint64_t>, kBounds + 1> counts_ = {};
  std::atomic<int64_t> sum_nanos_ = 0;
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_INSTRUMENTS_H_
