#include "kv/service/physical_compaction.h"

#include <utility>

#include "kv/errors.h"
#include "kv/service/outcome.h"

namespace pontoon::kv {

PhysicalCompaction::PhysicalCompaction() : phase_(std::make_shared<Phase>()) {}

void PhysicalCompaction::FinishNow(const absl::Status& status) { Finish(ToGrpc(status)); }

ScrubCallback PhysicalCompaction::Wait() {
  const std::shared_ptr<Phase> phase = phase_;
  bool cancelled;
  {
    absl::MutexLock lock(&phase->mutex);
    cancelled = phase->cancelled;
    if (!cancelled) phase->waiting = this;
  }
  if (cancelled) FinishNow(kErrCanceled);
  return [phase](absl::Status status) { EndWait(*phase, status); };
}

void PhysicalCompaction::OnCancel() {
  {
    absl::MutexLock lock(&phase_->mutex);
    phase_->cancelled = true;
  }
  EndWait(*phase_, kErrCanceled);
}

void PhysicalCompaction::OnDone() { delete this; }

void PhysicalCompaction::EndWait(Phase& phase, const absl::Status& status) {
  PhysicalCompaction* call = nullptr;
  {
    absl::MutexLock lock(&phase.mutex);
    std::swap(call, phase.waiting);
  }
  if (call != nullptr) call->FinishNow(status);
}

}  // namespace pontoon::kv
