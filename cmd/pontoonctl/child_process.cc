#include "cmd/pontoonctl/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

constexpr int kExitCodeOfSignals = 128;

absl::string_view NameOf(absl::string_view variable) {
  return variable.substr(0, variable.find('='));
}

// Our own environment and `variables`, in place of those of the same names.
std::vector<std::string> EnvironmentWith(const std::vector<std::string>& variables) {
  std::vector<std::string> environment = variables;
  for (char** own = environ; *own != nullptr; ++own) {
    const bool is_replaced =
        std::any_of(variables.begin(), variables.end(),
                    [&](const std::string& variable) { return NameOf(variable) == NameOf(*own); });
    if (!is_replaced) environment.push_back(*own);
  }
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child: becomes the program, or says on `errno_fd` why not. Only system calls.
[[noreturn]] void Exec(char* const* words, char* const* environment, int errno_fd, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kExitCodeOfSignals + SIGTERM);
  for (int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
  execvpe(words[0], words, environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(errno_fd, &error, sizeof(error));
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& words, const std::vector<std::string>& variables) {
  CHECK(!words.empty());
  std::vector<std::string> own_words = words;
  std::vector<std::string> environment = EnvironmentWith(variables);
  const std::vector<char*> argv = Pointers(own_words);
  const std::vector<char*> envp = Pointers(environment);
  int ends[2];  // closed by a successful exec
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Exec(argv.data(), envp.data(), ends[1], parent);
  int error = pid < 0 ? errno : 0;
  close(ends[1]);
  if (pid > 0) {
    while (read(ends[0], &error, sizeof(error)) < 0 && errno == EINTR) {
    }
  }
  close(ends[0]);
  std::unique_ptr<ChildProcess> child;
  if (pid > 0) child = std::unique_ptr<ChildProcess>(new ChildProcess(pid));
  if (error == 0) return child;
  return absl::NotFoundError(absl::StrCat("cannot run ", words.front(), ": ", strerror(error)));
}

int ChildProcess::Wait() {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return exit_code_;
  }
  siginfo_t info;
  while (waitid(P_PID, pid_, &info, WEXITED | WNOWAIT) != 0) CHECK_EQ(errno, EINTR);
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  exit_code_ = info.si_code == CLD_EXITED ? info.si_status : kExitCodeOfSignals + info.si_status;
  waitpid(pid_, nullptr, 0);
  return exit_code_;
}

void ChildProcess::Signal(int signal) {
  absl::MutexLock lock(&mutex_);
  if (!ended_) kill(pid_, signal);
}

}  // namespace pontoon::ctl
