#include "raft/node/log_writer.h"

#include <utility>

namespace pontoon::raft {

LogWriter::LogWriter(Executor* executor, LogStore* store, PersistedHandler on_persisted,
                     FatalHandler on_fatal)
    : store_(store),
      on_persisted_(std::move(on_persisted)),
      on_fatal_(std::move(on_fatal)),
      bell_(executor, [this] { Work(); }) {}

void LogWriter::Submit(PersistBatch batch) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(batch));
  }
  bell_.Ring();
}

void LogWriter::Work() {
  std::vector<PersistBatch> group;
  {
    std::lock_guard lock(mutex_);
    group.swap(waiting_);
  }
  if (failed_ || group.empty()) return;
  if (const absl::Status written = store_->Write(group); !written.ok()) {
    failed_ = true;
    on_fatal_(written);
    return;
  }
  on_persisted_(group.back().seq);
}

}  // namespace pontoon::raft
