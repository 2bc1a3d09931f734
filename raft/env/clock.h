// Clock: where a node's time comes from.

#ifndef PONTOON_RAFT_ENV_CLOCK_H_
#define PONTOON_RAFT_ENV_CLOCK_H_

#include "raft/base/instant.h"

namespace pontoon {

// Thread safety: Now may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;

  // The machine's clock (CLOCK_BOOTTIME). Lives for ever.
  static Clock* System();
};

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_CLOCK_H_
