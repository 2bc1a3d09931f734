#include "cmd/pontoonctl/command_runner.h"

#include <signal.h>

namespace pontoon::ctl {

absl::StatusOr<int> CommandRunner::Run(const std::vector<std::string>& variables) {
  absl::StatusOr<std::unique_ptr<ChildProcess>> child;
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return absl::CancelledError("interrupted");
    child = ChildProcess::Start(words_, variables);
    if (!child.ok()) return child.status();
    child_ = child->get();
  }
  const int exit_code = (*child)->Wait();
  absl::MutexLock lock(&mutex_);
  child_ = nullptr;
  return exit_code;
}

void CommandRunner::Interrupt(const InterruptListener::Interrupt& interrupt) {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (!interrupt.from_terminal && child_ != nullptr) child_->Signal(interrupt.signal);
}

void CommandRunner::Terminate() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (child_ != nullptr) child_->Signal(SIGTERM);
}

bool CommandRunner::stopped() {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

}  // namespace pontoon::ctl
