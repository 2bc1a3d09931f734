// Process: a child process that never outlives the test that started it.

#ifndef PONTOON_TESTS_INTEGRATION_PROCESS_H_
#define PONTOON_TESTS_INTEGRATION_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace pontoon::testing {

struct ProcessOptions {
  std::vector<std::string> argv = {};  // argv[0] is looked up in PATH if it has no slash
  std::vector<std::string> env = {};   // NAME=value, in addition to the test's own environment
  std::string stdin_path = "/dev/null";
  std::string stdout_path = "/dev/null";  // appended to
  std::string stderr_path = "/dev/null";  // appended to; may be stdout_path
};

// How a process ended: with an exit code, or by a signal.
struct ExitStatus {
  std::optional<int> code = {};
  std::optional<int> signal = {};

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
  friend std::ostream& operator<<(std::ostream& out, const ExitStatus& status);
};

// Owns a child. The child gets SIGKILL when the object goes, and also when the thread that called
// Start ends, whatever ends it (PR_SET_PDEATHSIG): start processes from a thread that lives on.
//
// Thread safety: one thread at a time, except Signal and pid.
class Process {
 public:
  // Fails if the program cannot be executed.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const ProcessOptions& options);

  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Does nothing once the end of the process has been seen.
  void Signal(int signal);

  // How the process ended, or nothing if it still runs after `timeout`.
  std::optional<ExitStatus> WaitForExit(absl::Duration timeout);

  bool Running() { return !WaitForExit(absl::ZeroDuration()).has_value(); }
  pid_t pid() const { return pid_; }

 private:
  Process(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

  const pid_t pid_;
  const int pidfd_;  // readable once the process has ended
  std::optional<ExitStatus> exit_status_;
};

// What a command printed, and how it ended.
struct CommandResult {
  ExitStatus exit;
  std::string out;
  std::string err;

  bool ok() const { return exit.code == 0; }
};

struct CommandOptions {
  std::vector<std::string> argv = {};
  std::vector<std::string> env = {};
  std::string input = {};  // given to it on standard input
  absl::Duration timeout = absl::Seconds(60);
};

// Runs a command to its end. Fails if it cannot be started, or (having killed it) if it takes
// longer than its timeout.
absl::StatusOr<CommandResult> RunCommand(const CommandOptions& options);

// The same, for a command that was not asked for anything special.
absl::StatusOr<CommandResult> RunCommand(std::vector<std::string> argv);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_PROCESS_H_
