#include "cmd/pontoonctl/bench_schedule.h"

namespace pontoon::ctl {

BenchSchedule::BenchSchedule(const Limits& limits, Clock::time_point start)
    : limits_(limits),
      start_(start),
      end_(limits.duration == absl::InfiniteDuration()
               ? Clock::time_point::max()
               : start + absl::ToChronoNanoseconds(limits.duration)) {}

std::optional<BenchSchedule::Operation> BenchSchedule::Next(Clock::time_point now) {
  if (now >= end_) return std::nullopt;
  const uint64_t index = next_index_.fetch_add(1, std::memory_order_relaxed);
  if (limits_.total.has_value() && index >= *limits_.total) return std::nullopt;
  if (!limits_.rate_per_second.has_value()) return Operation{index};
  const std::chrono::duration<double> after(static_cast<double>(index) / *limits_.rate_per_second);
  const Clock::time_point due = start_ + std::chrono::duration_cast<Clock::duration>(after);
  if (due >= end_) return std::nullopt;
  return Operation{index, due};
}

}  // namespace pontoon::ctl
