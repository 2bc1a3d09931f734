// WatchedLog: a LogStore that tells a Referee what goes through it.

#ifndef PONTOON_TESTS_SIM_WATCHED_LOG_H_
#define PONTOON_TESTS_SIM_WATCHED_LOG_H_

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "raft/storage/log_store.h"
#include "tests/sim/coverage.h"
#include "tests/sim/process.h"
#include "tests/sim/referee.h"

namespace pontoon::sim {

// The names of executors that tell apart who reads.
inline constexpr char kLogReaderName[] = "log reader";
inline constexpr char kApplierName[] = "applier";

// Thread safety: none.
class WatchedLog final : public raft::LogStore {
 public:
  WatchedLog(NodeId node, std::unique_ptr<raft::LogStore> log, const Process* process,
             Referee* referee, Coverage* coverage)
      : node_(node),
        log_(std::move(log)),
        process_(process),
        referee_(referee),
        coverage_(coverage) {}

  absl::Status Write(std::span<const PersistBatch> batches) override {
    referee_->OnWrite(node_, batches);
    absl::Status written = log_->Write(batches);
    if (written.ok()) referee_->OnWritten(node_, batches);
    return written;
  }

  absl::StatusOr<std::vector<Entry>> Read(LogIndex first, LogIndex last,
                                          size_t bytes_max) const override {
    if (process_->running() == kLogReaderName) coverage_->Reached(Path::kCatchUpFromDisk);
    if (process_->running() == kApplierName) coverage_->Reached(Path::kApplyFromDisk);
    return log_->Read(first, last, bytes_max);
  }

  absl::Status DropPrefix(LogIndex upto) override {
    referee_->OnDropPrefix(node_, upto);
    const LogPosition before = log_->base();
    absl::Status dropped = log_->DropPrefix(upto);
    if (log_->base() != before) coverage_->Reached(Path::kLogCompacted);
    return dropped;
  }

  LogPosition base() const override { return log_->base(); }

  uint64_t SizeBytes() const override { return log_->SizeBytes(); }

  absl::Status ResetTo(LogPosition base, std::string membership) override {
    PersistBatch reset;
    reset.reset_to = base;
    if (!membership.empty()) {
      reset.reset_membership = std::make_shared<const std::string>(membership);
    }
    referee_->OnWrite(node_, {&reset, 1});
    absl::Status done = log_->ResetTo(base, std::move(membership));
    if (done.ok()) referee_->OnWritten(node_, {&reset, 1});
    return done;
  }

 private:
  const NodeId node_;
  const std::unique_ptr<raft::LogStore> log_;
  const Process* const process_;
  Referee* const referee_;
  Coverage* const coverage_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_WATCHED_LOG_H_
