#include "raft/node/log_writer.h"

#include <utility>

namespace pontoon::raft {

LogWriter::LogWriter(Executor* executor, LogStore* store, PersistedHandler on_persisted,
                     DroppedHandler on_dropped, FatalHandler on_fatal)
    : store_(store),
      on_persisted_(std::move(on_persisted)),
      on_dropped_(std::move(on_dropped)),
      on_fatal_(std::move(on_fatal)),
      bell_(executor, [this] { Work(); }) {}

void LogWriter::Submit(PersistBatch batch) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(batch));
  }
  bell_.Ring();
}

void LogWriter::DropPrefix(LogIndex upto) {
  {
    std::lock_guard lock(mutex_);
    drop_upto_ = upto;
  }
  bell_.Ring();
}

void LogWriter::Work() {
  std::vector<PersistBatch> group;
  LogIndex drop_upto;
  {
    std::lock_guard lock(mutex_);
    group.swap(waiting_);
    drop_upto = std::exchange(drop_upto_, LogIndex());
  }
  if (!failed_ && !group.empty()) WriteGroup(group);
  if (!failed_ && drop_upto > LogIndex()) Drop(drop_upto);
}

void LogWriter::WriteGroup(const std::vector<PersistBatch>& group) {
  if (Succeeds(store_->Write(group))) on_persisted_(group.back().seq);
}

void LogWriter::Drop(LogIndex upto) {
  const LogPosition before = store_->base();
  if (!Succeeds(store_->DropPrefix(upto))) return;
  if (const LogPosition base = store_->base(); base != before) on_dropped_(base);
}

bool LogWriter::Succeeds(const absl::Status& status) {
  if (status.ok()) return true;
  failed_ = true;
  on_fatal_(status);
  return false;
}

}  // namespace pontoon::raft
