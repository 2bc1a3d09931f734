#include "raft/node/applier.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"
#include "raft/env/log.h"
#include "raft/node/completion.h"

namespace pontoon::raft {

Applier::Applier(const Parts& parts, LogIndex applied, std::function<void()> on_queued,
                 FatalHandler on_fatal)
    : parts_(parts),
      on_queued_(std::move(on_queued)),
      on_fatal_(std::move(on_fatal)),
      last_staged_(applied),
      applied_(applied.value()),
      bell_(parts.executor, [this] { ApplyWaiting(); }) {}

size_t Applier::CountedBytes(const CommittedRange& range) {
  size_t bytes = 0;
  for (const Entry& entry : range.entries) bytes += entry.CountedBytes();
  return bytes;
}

void Applier::Submit(CommittedRange range) {
  CHECK_LE(range.first, range.last);
  const size_t bytes = CountedBytes(range);
  {
    std::lock_guard lock(mutex_);
    if (waiting_bytes_ + bytes > kQueuedBytesMax && !waiting_.empty()) {
      range.entries.clear();
    } else {
      waiting_bytes_ += bytes;
    }
    waiting_.push_back(std::move(range));
  }
  bell_.Ring();
}

std::unique_ptr<SnapshotSink> Applier::Install(LogPosition position,
                                               std::unique_ptr<SnapshotSink> sink) {
  std::unique_ptr<SnapshotSink> superseded;
  {
    std::lock_guard lock(mutex_);
    for (const CommittedRange& range : waiting_) waiting_bytes_ -= CountedBytes(range);
    waiting_.clear();
    if (installation_) superseded = std::move(installation_->sink);
    installation_ = Installation{position, std::move(sink)};
  }
  bell_.Ring();
  return superseded;
}

bool Applier::InstallNow(Installation installation) {
  staged_.clear();
  staged_bytes_ = 0;
  const LogPosition position = installation.position;
  const absl::Status installed = parts_.state_machine->Install(std::move(installation.sink));
  if (!installed.ok()) return Fail(installed);
  LogInfo("installed a snapshot", {{"index", position.index}, {"term", position.term}});
  last_staged_ = position.index;
  applied_.store(last_staged_.value(), std::memory_order_release);
  TellApplied(parts_.proposals->OnInstalled(position.term));
  return true;
}

void Applier::ApplyWaiting() {
  if (failed_) return;
  std::optional<Installation> installation;
  std::deque<CommittedRange> ranges;
  {
    std::lock_guard lock(mutex_);
    installation.swap(installation_);
    ranges.swap(waiting_);
  }
  if (installation && !InstallNow(*std::move(installation))) return;
  bool applied = true;
  for (CommittedRange& range : ranges) {
    const size_t bytes = CountedBytes(range);
    // If it is superseded so are those after it, and the bell has rung for the snapshot.
    applied = applied && ApplyRange(std::move(range));
    std::lock_guard lock(mutex_);
    waiting_bytes_ -= bytes;
  }
  if (applied) ApplyStaged();
}

void Applier::AnswerReads() {
  Completions done;
  done.Add(parts_.reads->TakeReadable(applied()));
  std::move(done).Run();
}

bool Applier::ApplyRange(CommittedRange range) {
  const LogIndex in_memory =
      range.entries.empty() ? range.last.Next() : range.entries.front().index;
  LogIndex next = range.first;
  while (next < in_memory) {
    absl::StatusOr<std::vector<Entry>> entries =
        parts_.log->Read(next, in_memory.Prev(), kBatchBytesMax);
    if (!entries.ok()) {
      if (IsSuperseded()) return false;
      return Fail(absl::Status(entries.status().code(),
                               absl::StrCat("reading committed entries from ", next.value(), ": ",
                                            entries.status().message())));
    }
    CHECK(!entries->empty()) << "from " << next;
    next = entries->back().index.Next();
    for (Entry& entry : *entries) {
      if (!Stage(std::move(entry))) return false;
    }
  }
  for (Entry& entry : range.entries) {
    if (!Stage(std::move(entry))) return false;
  }
  CHECK_EQ(last_staged_, range.last);
  return true;
}

bool Applier::Stage(Entry entry) {
  CHECK_EQ(entry.index, last_staged_.Next()) << "entries must be applied without a gap";
  last_staged_ = entry.index;
  staged_bytes_ += entry.CountedBytes();
  staged_.push_back(ApplyItem{.entry = std::move(entry), .wants_result = false, .result = nullptr});
  if (staged_.size() < kBatchEntriesMax && staged_bytes_ < kBatchBytesMax) return true;
  return ApplyStaged();
}

bool Applier::ApplyStaged() {
  if (staged_.empty()) return true;
  parts_.proposals->MarkWanted(staged_);
  const Instant begun = parts_.clock->Now();
  if (const absl::Status applied = parts_.state_machine->Apply(staged_); !applied.ok()) {
    return Fail(applied);
  }
  parts_.instruments->applies.Record(parts_.clock->Now() - begun);
  parts_.instruments->entries_applied.Add(staged_.size());
  // First the state can be seen, then somebody is told of it.
  applied_.store(last_staged_.value(), std::memory_order_release);
  ProposalTracker::AppliedOutcome outcome = parts_.proposals->OnApplied(staged_);
  staged_.clear();
  staged_bytes_ = 0;
  TellApplied(std::move(outcome));
  return true;
}

void Applier::TellApplied(ProposalTracker::AppliedOutcome outcome) {
  Completions done;
  done.Add(std::move(outcome.completed));
  done.Add(parts_.reads->TakeReadable(last_staged_));
  std::move(done).Run();
  if (outcome.take_queued) on_queued_();
}

// Whether a snapshot waits that has in it what cannot be read from the log any more.
bool Applier::IsSuperseded() {
  std::lock_guard lock(mutex_);
  return installation_.has_value();
}

bool Applier::Fail(const absl::Status& error) {
  failed_ = true;
  on_fatal_(error);
  return false;
}

}  // namespace pontoon::raft
