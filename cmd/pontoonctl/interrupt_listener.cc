#include "cmd/pontoonctl/interrupt_listener.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};

// What the handler may touch: where it writes to. -1: there is no listener.
std::atomic<int> write_end = -1;

struct sigaction previous[std::size(kSignals)];

void OnSignal(int signal, siginfo_t* info, void*) {
  const int saved_errno = errno;
  const InterruptListener::Interrupt interrupt{signal, info->si_code == SI_KERNEL};
  // The pipe is empty but for one message of each kind, so this neither blocks nor fails.
  [[maybe_unused]] const ssize_t written = write(write_end, &interrupt, sizeof(interrupt));
  errno = saved_errno;
}

}  // namespace

InterruptListener::InterruptListener(std::function<void(const Interrupt&)> on_interrupt) {
  int ends[2];
  CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
  read_end_ = ends[0];
  int none = -1;
  CHECK(write_end.compare_exchange_strong(none, ends[1])) << "two listeners at a time";
  thread_ = std::thread([this, on_interrupt = std::move(on_interrupt)] { Listen(on_interrupt); });
  struct sigaction action = {};
  action.sa_sigaction = OnSignal;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_RESTART | SA_RESETHAND);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    CHECK_EQ(sigaction(kSignals[i], &action, &previous[i]), 0);
  }
}

InterruptListener::~InterruptListener() {
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &previous[i], nullptr);
  close(write_end.exchange(-1));
  thread_.join();
  close(read_end_);
}

void InterruptListener::Listen(const std::function<void(const Interrupt&)>& on_interrupt) const {
  Interrupt interrupt;
  for (;;) {
    const ssize_t length = read(read_end_, &interrupt, sizeof(interrupt));
    if (length < 0 && errno == EINTR) continue;
    if (length != sizeof(interrupt)) return;
    on_interrupt(interrupt);
  }
}

}  // namespace pontoon::ctl
