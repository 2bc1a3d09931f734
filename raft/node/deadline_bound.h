// DeadlineBound: when to look next for deadlines that have passed.

#ifndef PONTOON_RAFT_NODE_DEADLINE_BOUND_H_
#define PONTOON_RAFT_NODE_DEADLINE_BOUND_H_

#include <algorithm>

#include "absl/time/time.h"
#include "raft/base/instant.h"

namespace pontoon::raft {

// Thousands of calls wait, each with a deadline, and nearly all are answered long before it. To
// keep them sorted by deadline would cost something for each. Instead this keeps a time before
// which none can have passed; from then on their owner looks at all of them, and tells this what is
// left. Looks are at least kStep apart, so that a deadline is met up to that much late.
//
// Thread safety: none.
class DeadlineBound {
 public:
  static constexpr absl::Duration kStep = absl::Milliseconds(5);

  void Include(Instant deadline) { earliest_ = std::min(earliest_, deadline); }

  // Nothing needs to be looked at before this.
  Instant next_look() const { return std::max(earliest_, not_before_); }

  // The owner looks now, and will Include what is left.
  void BeginLook(Instant now) {
    earliest_ = Instant::InfiniteFuture();
    not_before_ = now + kStep;
  }

 private:
  Instant earliest_ = Instant::InfiniteFuture();
  Instant not_before_ = Instant::InfinitePast();
};

}  // namespace pontoon::raft

#endif  // PONTOON_RAFT_NODE_DEADLINE_BOUND_H_
