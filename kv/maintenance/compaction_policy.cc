#include "kv/maintenance/compaction_policy.h"

#include <algorithm>

#include "absl/strings/numbers.h"

namespace pontoon::kv {
namespace {

constexpr absl::Duration kCompactIntervalMax = absl::Hours(1);
// As fine as etcd tells the age of a revision.
constexpr int kLooksPerInterval = 10;
constexpr int64_t kHoursMax = 1'000'000;

}  // namespace

bool Retention::KeepsAll() const {
  return mode == Mode::kPeriodic ? period == absl::ZeroDuration() : revisions == 0;
}

absl::StatusOr<Retention> ParseRetention(Retention::Mode mode, absl::string_view text) {
  Retention retention{.mode = mode};
  int64_t number = 0;
  const bool is_number = absl::SimpleAtoi(text, &number) && number >= 0;
  if (mode == Retention::Mode::kRevision) {
    if (!is_number) {
      return absl::InvalidArgumentError(
          "must be a number of revisions, since --auto-compaction-mode is revision");
    }
    retention.revisions = number;
    return retention;
  }
  if (is_number && number <= kHoursMax) {
    retention.period = absl::Hours(number);
    return retention;
  }
  if (is_number || !absl::ParseDuration(text, &retention.period) ||
      (retention.period < absl::Seconds(1) && retention.period != absl::ZeroDuration()) ||
      retention.period > absl::Hours(kHoursMax)) {
    return absl::InvalidArgumentError(
        "must be a time like 72h or 30m, or a number of hours; a second is the least, and 0 keeps "
        "everything");
  }
  return retention;
}

PeriodicPolicy::PeriodicPolicy(absl::Duration period)
    : period_(period), compact_interval_(std::min(period, kCompactIntervalMax)) {}

absl::Duration PeriodicPolicy::look_interval() const {
  return compact_interval_ / kLooksPerInterval;
}

std::optional<Revision> PeriodicPolicy::Look(Instant now, Revision present, Revision compacted) {
  samples_.push_back({now, present});
  const auto is_old = [&](const Sample& sample) { return now - sample.time >= period_; };
  while (samples_.size() > 1 && is_old(samples_[1])) samples_.pop_front();
  const Sample& newest_old = samples_.front();
  if (!is_old(newest_old) || newest_old.revision <= compacted) return std::nullopt;
  if (last_compaction_.has_value() && now - *last_compaction_ < compact_interval_) {
    return std::nullopt;
  }
  last_compaction_ = now;
  return newest_old.revision;
}

std::optional<Revision> RevisionPolicy::Look(Instant /*now*/, Revision present,
                                             Revision compacted) {
  const Revision target(present.value() - revisions_);
  if (target < kFirstRevision || target <= compacted) return std::nullopt;
  return target;
}

std::unique_ptr<CompactionPolicy> MakeCompactionPolicy(const Retention& retention) {
  if (retention.KeepsAll()) return nullptr;
  if (retention.mode == Retention::Mode::kPeriodic) {
    return std::make_unique<PeriodicPolicy>(retention.period);
  }
  return std::make_unique<RevisionPolicy>(retention.revisions);
}

}  // namespace pontoon::kv
