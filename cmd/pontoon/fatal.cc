#include "cmd/pontoon/fatal.h"

#include <cstdlib>
#include <mutex>
#include <string>

#include "raft/env/log.h"

namespace pontoon {

void DieOfFailedDisk(absl::string_view error) {
  // The first one speaks; whoever comes later waits here for the end.
  static std::mutex mutex;
  mutex.lock();
  LogError("the disk failed, and this process stops: repair the disk before it is started again",
           {{"error", std::string(error)}});
  ShutdownLogging();
  std::_Exit(EXIT_FAILURE);
}

}  // namespace pontoon
