#include "raft/node/log_timeline.h"

#include <algorithm>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::raft {
namespace {

// Fewer stretches than this are not worth a look.
constexpr size_t kThinAtLeast = 1024;

}  // namespace

void LogTimeline::Reset(LogIndex last, Instant now) {
  begin_ = last;
  begun_ = now;
  begin_bytes_ = 0;
  stretches_.clear();
  thin_at_ = kThinAtLeast;
}

void LogTimeline::Append(LogIndex last, uint64_t bytes, Instant now) {
  const uint64_t bytes_before = stretches_.empty() ? begin_bytes_ : stretches_.back().bytes_end;
  CHECK_GT(last, this->last());
  if (!stretches_.empty() && now - stretches_.back().since < kResolution) {
    stretches_.back().last = last;
    stretches_.back().bytes_end += bytes;
    return;
  }
  stretches_.push_back({last, bytes_before + bytes, now});
  if (stretches_.size() >= thin_at_) Thin(now);
}

void LogTimeline::CutAfter(LogIndex last) {
  const uint64_t bytes = BytesUpTo(last);
  while (!stretches_.empty() && stretches_.back().last > last) {
    const bool begins_after =
        last <= (stretches_.size() > 1 ? stretches_[stretches_.size() - 2].last : begin_);
    if (!begins_after) {
      stretches_.back().last = last;
      stretches_.back().bytes_end = bytes;
      return;
    }
    stretches_.pop_back();
  }
  begin_ = std::min(begin_, last);
}

void LogTimeline::Forget(LogIndex index) {
  while (!stretches_.empty() && stretches_.front().last <= index) {
    begin_ = stretches_.front().last;
    begin_bytes_ = stretches_.front().bytes_end;
    begun_ = stretches_.front().since;
    stretches_.pop_front();
  }
}

std::optional<LogTimeline::Backlog> LogTimeline::After(LogIndex match) const {
  if (match >= last()) return std::nullopt;
  const uint64_t bytes_end = stretches_.empty() ? begin_bytes_ : stretches_.back().bytes_end;
  Backlog backlog = {.since = begun_, .bytes = bytes_end - BytesUpTo(match)};
  if (match < begin_) {
    backlog.entries_unknown = begin_.value() - match.value();
    return backlog;
  }
  const auto first =
      std::upper_bound(stretches_.begin(), stretches_.end(), match,
                       [](LogIndex index, const Stretch& stretch) { return index < stretch.last; });
  backlog.since = first->since;
  return backlog;
}

// Within a stretch all entries count as equally large.
uint64_t LogTimeline::BytesUpTo(LogIndex index) const {
  LogIndex before = begin_;
  uint64_t bytes_before = begin_bytes_;
  const auto found = std::lower_bound(
      stretches_.begin(), stretches_.end(), index,
      [](const Stretch& stretch, LogIndex searched) { return stretch.last < searched; });
  if (found != stretches_.begin()) {
    before = std::prev(found)->last;
    bytes_before = std::prev(found)->bytes_end;
  }
  if (found == stretches_.end() || index <= before) return bytes_before;
  const double part = static_cast<double>(index.value() - before.value()) /
                      static_cast<double>(found->last.value() - before.value());
  return bytes_before +
         static_cast<uint64_t>(static_cast<double>(found->bytes_end - bytes_before) * part);
}

void LogTimeline::Thin(Instant now) {
  std::deque<Stretch> thinned;
  for (size_t i = 0; i < stretches_.size(); ++i) {
    const Stretch& stretch = stretches_[i];
    // All of its entries were there by then.
    const Instant end = i + 1 < stretches_.size() ? stretches_[i + 1].since : now;
    if (!thinned.empty() && (end - thinned.back().since) * kPrecision <= now - end) {
      thinned.back().last = stretch.last;
      thinned.back().bytes_end = stretch.bytes_end;
    } else {
      thinned.push_back(stretch);
    }
  }
  stretches_ = std::move(thinned);
  thin_at_ = std::max(2 * stretches_.size(), kThinAtLeast);
}

}  // namespace pontoon::raft
