#include "raft/node/log_reader.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "raft/env/log.h"

namespace pontoon::raft {

LogReader::LogReader(Executor* executor, const LogStore* store, ReadHandler on_read)
    : store_(store), on_read_(std::move(on_read)), bell_(executor, [this] { ReadWaiting(); }) {}

void LogReader::Submit(const LogReadRequest& request) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(request);
  }
  bell_.Ring();
}

void LogReader::ReadWaiting() {
  std::vector<LogReadRequest> requests;
  {
    std::lock_guard lock(mutex_);
    requests.swap(waiting_);
  }
  for (const LogReadRequest& request : requests) {
    absl::StatusOr<std::vector<Entry>> entries =
        store_->Read(request.first, request.last, request.bytes_max);
    // That they have just been dropped is no fault: the core is about to learn of it.
    if (!entries.ok() && !absl::IsOutOfRange(entries.status())) {
      // Damage here is no danger to what this node promised. The follower waits until the entries
      // can be read, or are dropped: then it gets a snapshot.
      LogError("could not read entries for a follower", {{"peer", request.peer},
                                                         {"first", request.first},
                                                         {"error", entries.status().message()}});
    }
    on_read_(
        {request.peer, request.term, entries.ok() ? *std::move(entries) : std::vector<Entry>()});
  }
}

}  // namespace pontoon::raft
