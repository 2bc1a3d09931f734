// CommandRunner: runs the command that stands after "--".

#ifndef PONTOON_CMD_PONTOONCTL_COMMAND_RUNNER_H_
#define PONTOON_CMD_PONTOONCTL_COMMAND_RUNNER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/child_process.h"
#include "cmd/pontoonctl/interrupt_listener.h"

namespace pontoon::ctl {

// Runs the same command, once or again and again, and lets other threads end it.
//
// Run is for one thread, the rest is for any.
class CommandRunner {
 public:
  // `words` are the program and its arguments.
  explicit CommandRunner(std::vector<std::string> words) : words_(std::move(words)) {}

  // Runs it to its end; its exit code (see ChildProcess). An error if it cannot be started, and
  // CANCELLED if it was to be ended before.
  absl::StatusOr<int> Run(const std::vector<std::string>& variables);

  // Passes the signal on, unless the terminal has sent it to the command as well. No other run
  // begins.
  void Interrupt(const InterruptListener::Interrupt& interrupt);

  // Tells the command to end. No other run begins.
  void Terminate();

  // Whether one of these two was called.
  bool stopped();

 private:
  const std::vector<std::string> words_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  ChildProcess* child_ ABSL_GUARDED_BY(mutex_) = nullptr;  // null: it does not run
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_COMMAND_RUNNER_H_
