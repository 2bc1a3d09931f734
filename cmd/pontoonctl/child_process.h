// ChildProcess: a command of the user's that pontoonctl runs.

#ifndef PONTOON_CMD_PONTOONCTL_CHILD_PROCESS_H_
#define PONTOON_CMD_PONTOONCTL_CHILD_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace pontoon::ctl {

// It shares our standard streams, folder and environment. Should the thread that started it end
// before it does, whatever the reason, it gets SIGTERM: a command that is run because we hold a
// lock must not go on when we do not.
//
// Thread safety: Signal may be called from any thread, the rest from the one that started it.
class ChildProcess {
 public:
  // `words` are the program, looked up in PATH, and its arguments; `variables` are NAME=value, in
  // addition to our own environment. Fails if the program cannot be executed.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& words, const std::vector<std::string>& variables);

  // Waits for the end, if nobody did.
  ~ChildProcess() { Wait(); }

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Returns its exit code as a shell has it: 128 and the signal if a signal ended it.
  int Wait();

  // Nothing happens if it has ended.
  void Signal(int signal);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  const pid_t pid_;
  absl::Mutex mutex_;
  // Before it is set the number pid_ belongs to nobody else.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  int exit_code_ = 0;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_CHILD_PROCESS_H_
