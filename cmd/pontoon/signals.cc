#include "cmd/pontoon/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "raft/base/check.h"

namespace pontoon {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void EndAtOnce(int /*signal*/) { _exit(EXIT_FAILURE); }

}  // namespace

void HoldStopSignals() {
  const sigset_t signals = StopSignals();
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals, nullptr), 0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

const char* AwaitStopSignal() {
  const sigset_t signals = StopSignals();
  int received = 0;
  CHECK_EQ(sigwait(&signals, &received), 0);
  // A handler, since the default action does not exist for the first process of a container.
  struct sigaction action = {};
  action.sa_handler = EndAtOnce;
  CHECK_EQ(sigaction(SIGTERM, &action, nullptr), 0);
  CHECK_EQ(sigaction(SIGINT, &action, nullptr), 0);
  CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &signals, nullptr), 0);
  return received == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace pontoon
