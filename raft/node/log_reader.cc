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
    EntriesRead read{.peer = request.peer, .term = request.term, .entries = {}};
    if (entries.ok()) {
      read.entries = *std::move(entries);
    } else if (!absl::IsOutOfRange(entries.status())) {
      read.unreadable = true;
      ReportDamage(request, entries.status());
    }  // That they have just been dropped is no fault: the core is about to learn of it.
    on_read_(std::move(read));
  }
}

// It is no danger to what this node promised, but it would not start again; and every follower that
// was away finds it anew.
void LogReader::ReportDamage(const LogReadRequest& request, const absl::Status& damage) {
  if (damage.message() == reported_) return;
  reported_ = std::string(damage.message());
  LogError(
      "THE LOG OF THIS NODE IS DAMAGED: it goes on, but would refuse to start again; followers get "
      "a snapshot instead of the entries",
      {{"peer", request.peer}, {"first", request.first}, {"error", damage.message()}});
}

}  // namespace pontoon::raft
