#include "kv/monitor/survey_feed.h"

#include <utility>

namespace pontoon::kv {

SurveyFeed::SurveyFeed(std::function<std::string()> take, absl::Duration period, const Clock* clock)
    : take_(std::move(take)), period_(period), clock_(clock), due_(Instant::InfinitePast()) {}

bool SurveyFeed::HasNews(uint64_t seen) const {
  return latest_.number > seen && clock_->Now() < due_;
}

std::optional<SurveyFeed::Item> SurveyFeed::Next(uint64_t seen) {
  absl::MutexLock lock(&mutex_);
  while (!stopped_) {
    if (HasNews(seen)) return latest_;
    const Instant now = clock_->Now();
    if (taking_) {
      changed_.Wait(&mutex_);
    } else if (now < due_) {
      changed_.WaitWithTimeout(&mutex_, due_ - now);
    } else {
      taking_ = true;
      due_ = now + period_;
      mutex_.Unlock();
      auto json = std::make_shared<const std::string>(take_());
      mutex_.Lock();
      latest_ = {latest_.number + 1, std::move(json)};
      taking_ = false;
      changed_.SignalAll();
      // Also if it took longer than a period.
      if (!stopped_) return latest_;
    }
  }
  return std::nullopt;
}

void SurveyFeed::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  changed_.SignalAll();
}

}  // namespace pontoon::kv
