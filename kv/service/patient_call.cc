#include "kv/service/patient_call.h"

#include <utility>

#include "kv/errors.h"
#include "kv/outcome.h"

namespace pontoon::kv {

PatientCall::PatientCall() : phase_(std::make_shared<Phase>()) {}

void PatientCall::FinishNow(const absl::Status& status) { Finish(ToGrpc(status)); }

PatientCall::Callback PatientCall::Wait() {
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

void PatientCall::OnCancel() {
  {
    absl::MutexLock lock(&phase_->mutex);
    phase_->cancelled = true;
  }
  EndWait(*phase_, kErrCanceled);
}

void PatientCall::OnDone() { delete this; }

void PatientCall::EndWait(Phase& phase, const absl::Status& status) {
  PatientCall* call = nullptr;
  {
    absl::MutexLock lock(&phase.mutex);
    std::swap(call, phase.waiting);
  }
  if (call != nullptr) call->FinishNow(status);
}

}  // namespace pontoon::kv
