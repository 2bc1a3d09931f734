#include "kv/read/read_lane.h"

#include <utility>

#include "kv/errors.h"

namespace pontoon::kv {

ReadLane::ReadLane(const KvStore* store, const raft::Replica* replica,
                   std::unique_ptr<Executor> executor)
    : store_(store), replica_(replica), executor_(std::move(executor)) {}

ReadLane::~ReadLane() = default;

absl::Status ReadLane::Post(Read read) {
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() >= kWaitingMax) return kErrRequestTooManyRequests;
    waiting_.push_back(std::move(read));
    if (scheduled_) return absl::OkStatus();
    scheduled_ = true;
  }
  executor_->Post([this] { RunWaiting(); });
  return absl::OkStatus();
}

void ReadLane::RunWaiting() {
  for (;;) {
    std::vector<Read> batch;
    {
      absl::MutexLock lock(&mutex_);
      if (waiting_.empty()) {
        scheduled_ = false;
        return;
      }
      batch.swap(waiting_);
    }
    // Taken after the reads were: it shows what they have to see.
    const std::shared_ptr<const ReadView> view = store_->View();
    const Term term = replica_->CurrentLeadership().term;
    for (Read& read : batch) std::move(read)(*view, term);
  }
}

}  // namespace pontoon::kv
