#include "cmd/pontoonctl/activity.h"

#include <cstdint>
#include <vector>

namespace pontoon::ctl {
namespace {

using pontoon::v1::DurationCounts;
using pontoon::v1::MemberActivity;

constexpr absl::Duration kFirstBound = absl::Microseconds(125);

uint64_t CountAt(const DurationCounts& durations, int bucket) {
  return bucket < durations.counts_size() ? durations.counts(bucket) : 0;
}

bool BeganAnew(const MemberActivity& before, const MemberActivity& after) {
  return after.requests() < before.requests() ||
         after.requests_failed() < before.requests_failed() ||
         after.writes_applied() < before.writes_applied();
}

}  // namespace

std::optional<Activity> ActivityBetween(const etcdserverpb::StatusResponse& before,
                                        const etcdserverpb::StatusResponse& after,
                                        absl::Duration elapsed) {
  if (!before.has_activity() || !after.has_activity() || elapsed <= absl::ZeroDuration()) {
    return std::nullopt;
  }
  const MemberActivity& then = before.activity();
  const MemberActivity& now = after.activity();
  if (BeganAnew(then, now)) return std::nullopt;
  const auto per_second = [&](uint64_t count) {
    return static_cast<double>(count) / absl::ToDoubleSeconds(elapsed);
  };
  return Activity{
      .writes = per_second(now.writes_applied() - then.writes_applied()),
      .requests = per_second(now.requests() - then.requests()),
      .failures = per_second(now.requests_failed() - then.requests_failed()),
      .request_p50 = QuantileBetween(then.request_durations(), now.request_durations(), 0.5),
      .request_p99 = QuantileBetween(then.request_durations(), now.request_durations(), 0.99),
      .log_write_p99 = QuantileBetween(then.log_write_durations(), now.log_write_durations(), 0.99),
  };
}

std::optional<absl::Duration> QuantileBetween(const DurationCounts& before,
                                              const DurationCounts& after, double quantile) {
  std::vector<uint64_t> counts;
  uint64_t total = 0;
  for (int i = 0; i < after.counts_size(); ++i) {
    const uint64_t then = CountAt(before, i);
    counts.push_back(after.counts(i) > then ? after.counts(i) - then : 0);
    total += counts.back();
  }
  if (total == 0) return std::nullopt;

  const double rank = quantile * static_cast<double>(total);
  absl::Duration lower = absl::ZeroDuration();
  absl::Duration upper = kFirstBound;
  double below = 0;
  for (size_t i = 0; i + 1 < counts.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= rank) return lower + (upper - lower) * ((rank - below) / here);
    below += here;
    lower = upper;
    upper *= 2;
  }
  return lower;
}

}  // namespace pontoon::ctl
