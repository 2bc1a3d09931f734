// Inflights: the appends that one follower has not yet acknowledged.

#ifndef PONTOON_RAFT_CORE_INFLIGHTS_H_
#define PONTOON_RAFT_CORE_INFLIGHTS_H_

#include <cstddef>
#include <deque>

#include "raft/base/instant.h"
#include "raft/base/types.h"

namespace pontoon::raft {

// A window of sent and unacknowledged AppendRequests, bounded by their number and their bytes.
class Inflights {
 public:
  Inflights(size_t messages_max, size_t bytes_max)
      : messages_max_(messages_max), bytes_max_(bytes_max) {}

  bool empty() const { return sent_.empty(); }
  // No more may be sent. One message is always allowed, however large.
  bool full() const {
    return sent_.size() >= messages_max_ || (!sent_.empty() && bytes_ >= bytes_max_);
  }
  size_t bytes() const { return bytes_; }
  // When the oldest one was sent; the window must not be empty.
  Instant oldest() const { return sent_.front().at; }

  void Add(LogIndex last, size_t bytes, Instant now) {
    sent_.push_back({last, bytes, now});
    bytes_ += bytes;
  }
  // Everything up to `match` arrived.
  void Acknowledge(LogIndex match) {
    while (!sent_.empty() && sent_.front().last <= match) {
      bytes_ -= sent_.front().bytes;
      sent_.pop_front();
    }
  }
  void Clear() {
    sent_.clear();
    bytes_ = 0;
  }

 private:
  struct Sent {
    LogIndex last;
    size_t bytes;
    Instant at;
  };

  size_t messages_max_;
  size_t bytes_max_;
  std::deque<Sent> sent_;
  size_t bytes_ = 0;
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_INFLIGHTS_H_
