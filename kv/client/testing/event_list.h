// EventList: what callbacks told, for a test to wait for.

#ifndef PONTOON_KV_CLIENT_TESTING_EVENT_LIST_H_
#define PONTOON_KV_CLIENT_TESTING_EVENT_LIST_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace pontoon {

// The longest that anything may take, on a busy machine.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

// Thread safety: all methods may be called from any thread.
template <typename T>
class EventList {
 public:
  void Add(T event) {
    absl::MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
  }

  // Waits until there are so many, and returns all that there are; fewer if they do not come.
  std::vector<T> Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto are_there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return events_.size() >= count;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&are_there), kPatience);
    return events_;
  }

  std::vector<T> Get() { return Await(0); }

 private:
  absl::Mutex mutex_;
  std::vector<T> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_TESTING_EVENT_LIST_H_
