// Await: waits for what a call with a callback brings.

#ifndef PONTOON_KV_CLIENT_AWAIT_H_
#define PONTOON_KV_CLIENT_AWAIT_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"

namespace pontoon {

// The error of who waits in a callback, for the thread that it is on.
inline absl::Status WouldWaitForItself() {
  return absl::FailedPreconditionError(
      "pontoon: a callback must not wait for an answer; use the calls that end in Async");
}

// `begin` is called with a callback for a Result, which is called once.
template <typename Result, typename Begin>
Result Await(Begin begin) {
  Result result{absl::UnknownError("not there yet")};
  absl::Notification over;
  begin([&](Result brought) {
    result = std::move(brought);
    over.Notify();
  });
  over.WaitForNotification();
  return result;
}

}  // namespace pontoon

#endif  // PONTOON_KV_CLIENT_AWAIT_H_
