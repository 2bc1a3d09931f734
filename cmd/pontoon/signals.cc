#include "cmd/pontoon/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <thread>

#include "absl/synchronization/mutex.h"
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

// The first signal. A thread of its own waits for it; the others never see it.
struct FirstSignal {
  absl::Mutex mutex;
  bool kept = false;  // guarded by mutex
  int received = 0;   // guarded by mutex
};

FirstSignal& TheFirstSignal() {
  static auto* const first = new FirstSignal;
  return *first;
}

void TakeFirstSignal() {
  const sigset_t signals = StopSignals();
  int received = 0;
  CHECK_EQ(sigwait(&signals, &received), 0);
  FirstSignal& first = TheFirstSignal();
  absl::MutexLock lock(&first.mutex);
  if (!first.kept) EndAtOnce(received);
  first.received = received;
}

}  // namespace

void WatchStopSignals() {
  const sigset_t signals = StopSignals();
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals, nullptr), 0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  std::thread(TakeFirstSignal).detach();
}

void KeepStopSignals() {
  absl::MutexLock lock(&TheFirstSignal().mutex);
  TheFirstSignal().kept = true;
}

const char* AwaitStopSignal() {
  FirstSignal& first = TheFirstSignal();
  int received = 0;
  {
    absl::MutexLock lock(&first.mutex);
    first.mutex.Await(absl::Condition(
        +[](FirstSignal* f) { return f->received != 0; }, &first));
    received = first.received;
  }
  const sigset_t signals = StopSignals();
  // A handler, since the default action does not exist for the first process of a container.
  struct sigaction action = {};
  action.sa_handler = EndAtOnce;
  CHECK_EQ(sigaction(SIGTERM, &action, nullptr), 0);
  CHECK_EQ(sigaction(SIGINT, &action, nullptr), 0);
  CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &signals, nullptr), 0);
  return received == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace pontoon
