#include "cmd/pontoon/process_limits.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "absl/synchronization/mutex.h"

namespace pontoon {
namespace {

// glibc makes up to eight arenas for each processor, and each keeps what its threads have freed. A
// request is allocated by one thread and freed by another, so all of them grow to the peak.
constexpr int kArenasMax = 2;

}  // namespace

void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void KeepFilesPrivate() { umask(S_IRWXG | S_IRWXO); }

void StopDeadlockDetection() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

void BoundMemoryArenas() { mallopt(M_ARENA_MAX, kArenasMax); }

}  // namespace pontoon
