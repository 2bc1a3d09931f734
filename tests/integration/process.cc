#include "tests/integration/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tests/integration/files.h"

namespace pontoon::testing {
namespace {

// The exit code by which a child says that it could not execute its program, as a shell does.
constexpr int kNotExecutable = 127;

// What the child needs after fork(), made before it: between fork and exec a child of a program
// with threads may neither allocate nor lock.
struct ChildPlan {
  std::vector<char*> argv;
  std::vector<char*> env;
  const ProcessOptions* options;
  pid_t parent;
};

std::vector<char*> PointersTo(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  return pointers;
}

ChildPlan MakePlan(const ProcessOptions& options) {
  ChildPlan plan;
  plan.argv = PointersTo(options.argv);
  plan.argv.push_back(nullptr);
  // The first of two values of one name wins with getenv, so the added ones come first.
  plan.env = PointersTo(options.env);
  for (char** variable = environ; *variable != nullptr; ++variable) plan.env.push_back(*variable);
  plan.env.push_back(nullptr);
  plan.options = &options;
  plan.parent = getpid();
  return plan;
}

bool Redirect(const char* path, int flags, int to) {
  const int fd = open(path, flags, 0644);
  return fd >= 0 && dup2(fd, to) == to;
}

[[noreturn]] void RunChild(const ChildPlan& plan) {
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(kNotExecutable);  // the test ended before prctl
  const bool ready = Redirect(plan.options->stdin_path.c_str(), O_RDONLY, STDIN_FILENO) &&
                     Redirect(plan.options->stdout_path.c_str(), kAppend, STDOUT_FILENO) &&
                     Redirect(plan.options->stderr_path.c_str(), kAppend, STDERR_FILENO) &&
                     close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
  if (ready) execvpe(plan.argv[0], plan.argv.data(), plan.env.data());
  _exit(kNotExecutable);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ExitStatus& status) {
  if (status.signal) return out << "ended by signal " << *status.signal;
  return out << "exit code " << status.code.value_or(-1);
}

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const ProcessOptions& options) {
  const ChildPlan plan = MakePlan(options);
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", strerror(errno)));
  if (pid == 0) RunChild(plan);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const std::string why = strerror(errno);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return absl::InternalError(absl::StrCat("pidfd_open: ", why));
  }
  return std::unique_ptr<Process>(new Process(pid, pidfd));
}

Process::~Process() {
  Signal(SIGKILL);
  WaitForExit(absl::InfiniteDuration());
  close(pidfd_);
}

void Process::Signal(int signal) {
  // Through the descriptor: it can never hit another process that got the same number.
  syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0);
}

std::optional<ExitStatus> Process::WaitForExit(absl::Duration timeout) {
  if (exit_status_) return exit_status_;
  const absl::Time deadline = absl::Now() + timeout;
  for (;;) {
    pollfd ended{pidfd_, POLLIN, 0};
    const int64_t left_ms = absl::ToInt64Milliseconds(
        std::min(deadline - absl::Now() + absl::Milliseconds(1), absl::Hours(1)));
    const int ready = poll(&ended, 1, static_cast<int>(std::max<int64_t>(left_ms, 0)));
    if (ready > 0) break;
    if (absl::Now() >= deadline) return std::nullopt;
  }
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) return std::nullopt;
  exit_status_.emplace();
  if (WIFSIGNALED(status)) {
    exit_status_->signal = WTERMSIG(status);
  } else {
    exit_status_->code = WEXITSTATUS(status);
  }
  return exit_status_;
}

absl::StatusOr<CommandResult> RunCommand(const CommandOptions& options) {
  const TempFolder folder;
  ProcessOptions process;
  process.argv = options.argv;
  process.env = options.env;
  process.stdin_path = folder.path() / "in";
  process.stdout_path = folder.path() / "out";
  process.stderr_path = folder.path() / "err";
  WriteFile(process.stdin_path, options.input);
  absl::StatusOr<std::unique_ptr<Process>> child = Process::Start(process);
  if (!child.ok()) return child.status();
  const std::optional<ExitStatus> exit = (*child)->WaitForExit(options.timeout);
  const std::string name = absl::StrJoin(options.argv, " ");
  if (!exit) {
    return absl::DeadlineExceededError(
        absl::StrCat(name, " still runs; it said: ", ReadFile(process.stderr_path)));
  }
  if (exit->code == kNotExecutable) return absl::NotFoundError("cannot execute " + name);
  return CommandResult{*exit, ReadFile(process.stdout_path), ReadFile(process.stderr_path)};
}

absl::StatusOr<CommandResult> RunCommand(std::vector<std::string> argv) {
  CommandOptions options;
  options.argv = std::move(argv);
  return RunCommand(options);
}

}  // namespace pontoon::testing
