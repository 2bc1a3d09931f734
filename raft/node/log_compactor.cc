#include "raft/node/log_compactor.h"

#include <algorithm>
#include <utility>

namespace pontoon::raft {

LogCompactor::LogCompactor(const LogRetention& retention, Executor* executor,
                           StateMachine* state_machine, DropHandler drop, FatalHandler on_fatal)
    : retention_(retention),
      state_machine_(state_machine),
      drop_(std::move(drop)),
      on_fatal_(std::move(on_fatal)),
      bell_(executor, [this] { Compact(); }) {}

void LogCompactor::Consider(const Picture& picture) {
  if (picture.applied <= picture.base) return;
  if (!looked_) {
    // A log that was long at the start is looked at without waiting for it to grow.
    looked_ = true;
    looked_applied_ = picture.base;
  }
  // It shrinks when segments go.
  looked_bytes_ = std::min(looked_bytes_, picture.bytes);
  const bool is_time = picture.applied - looked_applied_ >= retention_.step_entries ||
                       picture.bytes - looked_bytes_ >= retention_.step_bytes;
  if (!is_time || target_ != 0) return;
  looked_applied_ = picture.applied;
  looked_bytes_ = picture.bytes;
  const LogIndex target = Target(picture);
  if (target <= picture.base) return;
  target_ = target.value();
  bell_.Ring();
}

LogIndex LogCompactor::Target(const Picture& picture) const {
  const uint64_t applied = picture.applied.value();
  LogIndex target(applied - std::min(applied, retention_.keep_entries));
  if (picture.needed_after) target = std::min(target, *picture.needed_after);
  return target;
}

// What was applied when the target was set is durable after Sync; the target is below that.
void LogCompactor::Compact() {
  const LogIndex target(target_);
  absl::Status done = state_machine_->Sync();
  if (done.ok()) done = drop_(target);
  if (!done.ok()) {
    on_fatal_(done);
    return;
  }
  target_ = 0;
}

}  // namespace pontoon::raft
