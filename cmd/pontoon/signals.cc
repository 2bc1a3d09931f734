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

// The first reason to stop. A thread of its own waits for signals; the others never see them.
struct FirstReason {
  absl::Mutex mutex;
  bool kept = false;          // guarded by mutex
  const char* why = nullptr;  // guarded by mutex; null: none yet
};

FirstReason& TheFirstReason() {
  static auto* const first = new FirstReason;
  return *first;
}

void TakeFirstSignal() {
  const sigset_t signals = StopSignals();
  int received = 0;
  CHECK_EQ(sigwait(&signals, &received), 0);
  FirstReason& first = TheFirstReason();
  absl::MutexLock lock(&first.mutex);
  if (!first.kept) EndAtOnce(received);
  if (first.why == nullptr) first.why = received == SIGTERM ? "SIGTERM" : "SIGINT";
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
  absl::MutexLock lock(&TheFirstReason().mutex);
  TheFirstReason().kept = true;
}

void RequestStop(const char* why) {
  FirstReason& first = TheFirstReason();
  absl::MutexLock lock(&first.mutex);
  if (first.why == nullptr) first.why = why;
}

const char* AwaitStop() {
  FirstReason& first = TheFirstReason();
  const char* why = nullptr;
  {
    absl::MutexLock lock(&first.mutex);
    first.mutex.Await(absl::Condition(
        +[](FirstReason* f) { return f->why != nullptr; }, &first));
    why = first.why;
  }
  const sigset_t signals = StopSignals();
  // A handler, since the default action does not exist for the first process of a container.
  struct sigaction action = {};
  action.sa_handler = EndAtOnce;
  CHECK_EQ(sigaction(SIGTERM, &action, nullptr), 0);
  CHECK_EQ(sigaction(SIGINT, &action, nullptr), 0);
  CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &signals, nullptr), 0);
  return why;
}

}  // namespace pontoon
