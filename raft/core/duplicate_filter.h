// DuplicateFilter: lets each forwarded proposal into the log once.

#ifndef PONTOON_RAFT_CORE_DUPLICATE_FILTER_H_
#define PONTOON_RAFT_CORE_DUPLICATE_FILTER_H_

#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "raft/base/types.h"

namespace pontoon::raft {

// A network may deliver a forwarded proposal twice, and a leader that appended it twice would apply
// a write twice. Since a forwarding takes effect only in its own term, it is enough that the leader
// of that term remembers what it took: for each origin (and each life of its process: the upper
// half of the sequence, see RequestId) a sliding window of sequence numbers, as in RFC 6479. What
// is too old for the window counts as taken; its origin learns of it by its own deadline.
class DuplicateFilter {
 public:
  static constexpr size_t kWindow = 1 << 16;
  static constexpr size_t kOriginsMax = 64;

  // True the first time that `request` is shown.
  bool Insert(const RequestId& request);

 private:
  struct Window {
    uint64_t newest = 0;
    std::bitset<kWindow> seen;  // by sequence modulo kWindow, of (newest - kWindow, newest]
  };

  // Forgets the oldest life of a process of which there was a later one. False if there is none.
  bool ForgetAnEarlierLife();

  // Ordered by origin, then by life of its process.
  std::map<std::pair<NodeId, uint64_t>, std::unique_ptr<Window>> windows_;
  std::deque<std::pair<NodeId, uint64_t>> shown_;  // the keys of windows_, as they came
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_CORE_DUPLICATE_FILTER_H_
