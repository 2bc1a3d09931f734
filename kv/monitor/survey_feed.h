// SurveyFeed: surveys for all who watch, each taken once.

#ifndef PONTOON_KV_MONITOR_SURVEY_FEED_H_
#define PONTOON_KV_MONITOR_SURVEY_FEED_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "raft/env/clock.h"

namespace pontoon::kv {

// Has no thread: whoever wants a survey when it is time for the next one takes it, and the others
// wait for that. While nobody watches nothing is asked.
//
// Thread safety: all methods may be called from any thread.
class SurveyFeed {
 public:
  struct Item {
    uint64_t number = 0;  // counts up
    std::shared_ptr<const std::string> json;
  };

  // `take` makes the JSON of a survey, and may block. Surveys are `period` apart. Borrows `clock`.
  SurveyFeed(std::function<std::string()> take, absl::Duration period, const Clock* clock);

  // The first survey after `seen` (0: any) that is not older than a period, when it is there.
  // Nothing if the feed has stopped.
  std::optional<Item> Next(uint64_t seen);

  // Everybody who waits goes.
  void Stop();

 private:
  bool HasNews(uint64_t seen) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<std::string()> take_;
  const absl::Duration period_;
  const Clock* const clock_;

  absl::Mutex mutex_;
  Item latest_ ABSL_GUARDED_BY(mutex_);
  Instant due_ ABSL_GUARDED_BY(mutex_);  // of the next one
  bool taking_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::CondVar changed_;
};

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_SURVEY_FEED_H_
