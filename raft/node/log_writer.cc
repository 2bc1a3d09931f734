#include "raft/node/log_writer.h"

#include <utility>

namespace pontoon::raft {

LogWriter::LogWriter(const Parts& parts, PersistedHandler on_persisted, FatalHandler on_fatal)
    : parts_(parts),
      on_persisted_(std::move(on_persisted)),
      on_fatal_(std::move(on_fatal)),
      bell_(parts.executor, [this] { Work(); }) {}

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
  if (const absl::Status written = Write(group); !written.ok()) {
    failed_ = true;
    on_fatal_(written);
    return;
  }
  on_persisted_(group.back().seq);
}

absl::Status LogWriter::Write(const std::vector<PersistBatch>& group) {
  const Instant begun = parts_.clock->Now();
  parts_.instruments->begun_nanos.store(begun.nanos(), std::memory_order_relaxed);
  const absl::Status written = parts_.store->Write(group);
  parts_.instruments->begun_nanos.store(Instant::InfinitePast().nanos(), std::memory_order_relaxed);
  parts_.instruments->durations.Record(parts_.clock->Now() - begun);
  return written;
}

}  // namespace pontoon::raft
