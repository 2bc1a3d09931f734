#include "kv/store/scrubber.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "kv/store/layout.h"
#include "kv/store/meta.h"
#include "leveldb/write_batch.h"
#include "raft/base/check.h"

namespace pontoon::kv {
namespace {

// The events that one step looks at: some milliseconds of work.
constexpr int kEventsPerStep = 256;

absl::Status Damaged() { return absl::DataLossError("damaged record in the history"); }

// One step: walks the events from one on, up to a revision, and removes what they show to be
// worthless.
class Step {
 public:
  Step(std::shared_ptr<const Database> database, Revision target)
      : target_(target),
        records_(std::move(database)),
        events_(records_.NewIterator()),
        history_(records_.NewIterator()) {}

  // Adds the removals to `batch`. Returns the event to go on from; nothing if there is none up to
  // the target.
  absl::StatusOr<std::optional<EventId>> Run(EventId from, leveldb::WriteBatch* batch) {
    from = std::max(from, EventId{kFirstRevision, 0});
    events_->Seek(EventKey(from));
    for (int i = 0; events_->Valid() && events_->key().front() == kEventPrefix; ++i) {
      std::optional<EventId> id = ParseEventKey(events_->key());
      if (!id) return Damaged();
      if (id->main > target_) break;
      if (i == kEventsPerStep) return id;
      absl::Status status = Visit(*id, batch);
      if (!status.ok()) return status;
      events_->Next();
    }
    if (!events_->status().ok()) return events_->status();
    return std::nullopt;
  }

  // Of the records removed, about.
  uint64_t removed_bytes() const { return removed_bytes_; }

 private:
  absl::Status Visit(EventId id, leveldb::WriteBatch* batch) {
    std::optional<Event> event = DecodeEvent(id, events_->value());
    if (!event) return Damaged();
    absl::StatusOr<std::optional<EventId>> before = FindBefore(event->key, id);
    if (!before.ok()) return before.status();
    if (before->has_value() && (*before)->main < target_) Remove(event->key, **before, batch);
    if (event->kind == EventKind::kDelete && id.main < target_) Remove(event->key, id, batch);
    return absl::OkStatus();
  }

  // Its own size stands for that of the version before it, which is not read.
  void Remove(std::string_view key, EventId id, leveldb::WriteBatch* batch) {
    const std::string history_key = HistoryKey(key, id);
    batch->Delete(history_key);
    batch->Delete(EventKey(id));
    removed_bytes_ += history_key.size() + events_->key().size() + events_->value().size();
  }

  // The version of `key` before `id`, if it is still there.
  absl::StatusOr<std::optional<EventId>> FindBefore(std::string_view key, EventId id) {
    std::string own = HistoryKey(key, id);
    history_->Seek(own);
    if (history_->Valid() && history_->key() == own) history_->Next();
    if (!history_->status().ok()) return history_->status();
    if (!history_->Valid() || history_->key().front() != kHistoryPrefix) return std::nullopt;
    EventId before;
    if (!ParseHistoryKey(history_->key(), &found_key_, &before)) return Damaged();
    if (found_key_ != key) return std::nullopt;
    return before;
  }

  const Revision target_;
  const SnapshotReader records_;
  const std::unique_ptr<RecordIterator> events_;
  const std::unique_ptr<RecordIterator> history_;
  std::string found_key_;
  uint64_t removed_bytes_ = 0;
};

// A walk to one target. The target does not move under it: what was done for the events of the
// target itself would be too little for a later one.
struct Walk {
  Revision target;
  EventId next;
  uint64_t removed_bytes = 0;
};

// What to keep in the database of a walk that has come to `next`.
EventId Progress(const Walk& walk) {
  return walk.next.main < walk.target ? walk.next : EventId{walk.target, 0};
}

}  // namespace

class Scrubber::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(Parts parts, EventId scrubbed, Revision compacted)
      : executor_(parts.executor),
        on_removed_(std::move(parts.on_removed)),
        database_(std::move(parts.database)),
        scrubbed_(scrubbed),
        compacted_(compacted) {}

  void CompactTo(Revision compacted) {
    std::lock_guard lock(mutex_);
    compacted_ = std::max(compacted_, compacted);
    ScheduleIfNeeded();
  }

  void MoveTo(std::shared_ptr<Database> database, EventId scrubbed, Revision compacted) {
    std::vector<Waiter> ready;
    absl::Status status;
    {
      std::unique_lock lock(mutex_);
      step_ended_.wait(lock, [this] { return !running_; });
      database_.swap(database);
      scrubbed_ = scrubbed;
      compacted_ = compacted;
      walk_.reset();
      ready = TakeReady();
      status = failure_;
      ScheduleIfNeeded();
    }
    for (Waiter& waiter : ready) std::move(waiter.done)(status);
  }

  void WhenScrubbed(Revision revision, ScrubCallback done) {
    absl::Status status;
    {
      std::lock_guard lock(mutex_);
      if (failure_.ok() && scrubbed_.main < revision) {
        waiters_.push_back(Waiter{revision, std::move(done)});
        return;
      }
      status = failure_;
    }
    std::move(done)(status);
  }

  void Stop() {
    std::vector<Waiter> waiters;
    {
      std::unique_lock lock(mutex_);
      stopped_ = true;
      step_ended_.wait(lock, [this] { return !running_; });
      waiters = std::move(waiters_);
      database_.reset();
    }
    for (Waiter& waiter : waiters) {
      std::move(waiter.done)(absl::CancelledError("the store is closing"));
    }
  }

 private:
  struct Waiter {
    Revision revision;
    ScrubCallback done;
  };

  // These two, Advance and TakeReady need the lock.
  bool HasWork() const { return !stopped_ && failure_.ok() && scrubbed_.main < compacted_; }

  void ScheduleIfNeeded() {
    if (scheduled_ || !HasWork()) return;
    scheduled_ = true;
    executor_->Post([self = shared_from_this()] { self->RunStep(); });
  }

  // On the executor.
  void RunStep() {
    Walk walk;
    {
      std::lock_guard lock(mutex_);
      if (!HasWork()) {  // it stopped or moved since it was scheduled
        scheduled_ = false;
        return;
      }
      running_ = true;
      if (!walk_) walk_ = Walk{.target = compacted_, .next = scrubbed_};
      walk = *walk_;
    }
    absl::StatusOr<std::optional<EventId>> next = DoStep(&walk);
    if (next.ok() && !next->has_value()) on_removed_(walk.removed_bytes);
    std::vector<Waiter> ready;
    absl::Status status;
    {
      std::lock_guard lock(mutex_);
      running_ = false;
      step_ended_.notify_all();
      scheduled_ = false;
      walk_->removed_bytes = walk.removed_bytes;
      Advance(next);
      ready = TakeReady();
      status = failure_;
      ScheduleIfNeeded();
    }
    for (Waiter& waiter : ready) std::move(waiter.done)(status);
  }

  // Writes the removals of one step together with how far it came.
  absl::StatusOr<std::optional<EventId>> DoStep(Walk* walk) {
    leveldb::WriteBatch batch;
    Step step(database_, walk->target);
    absl::StatusOr<std::optional<EventId>> next = step.Run(walk->next, &batch);
    if (!next.ok()) return next;
    walk->next = next->value_or(EventId{walk->target, 0});
    walk->removed_bytes += step.removed_bytes();
    auto [key, value] = ScrubbedRecord(Progress(*walk));
    batch.Put(key, value);
    absl::Status written = database_->Write(&batch);
    if (!written.ok()) return written;
    return next;
  }

  void Advance(const absl::StatusOr<std::optional<EventId>>& next) {
    if (!next.ok()) {
      failure_ = next.status();
    } else if (next->has_value()) {
      walk_->next = **next;
    } else {
      scrubbed_ = EventId{walk_->target, 0};
      walk_.reset();
    }
  }

  std::vector<Waiter> TakeReady() {
    auto waits = [this](const Waiter& waiter) {
      return failure_.ok() && scrubbed_.main < waiter.revision;
    };
    auto first_ready = std::stable_partition(waiters_.begin(), waiters_.end(), waits);
    std::vector<Waiter> ready(std::make_move_iterator(first_ready),
                              std::make_move_iterator(waiters_.end()));
    waiters_.erase(first_ready, waiters_.end());
    return ready;
  }

  Executor* const executor_;
  const std::function<void(uint64_t)> on_removed_;

  std::mutex mutex_;  // guards all below, but a running step may use the database without it
  std::condition_variable step_ended_;
  std::shared_ptr<Database> database_;  // null after Stop
  EventId scrubbed_;                    // where the last complete walk ended, or a restart
  Revision compacted_;
  std::optional<Walk> walk_;
  bool scheduled_ = false;  // a step is posted or runs
  bool running_ = false;    // a step runs
  bool stopped_ = false;
  absl::Status failure_;  // the first; ends the work
  std::vector<Waiter> waiters_;
};

Scrubber::Scrubber(Parts parts, EventId scrubbed, Revision compacted)
    : core_(std::make_shared<Core>(std::move(parts), scrubbed, compacted)) {
  core_->CompactTo(compacted);
}

Scrubber::~Scrubber() { core_->Stop(); }

void Scrubber::MoveTo(std::shared_ptr<Database> database, EventId scrubbed, Revision compacted) {
  core_->MoveTo(std::move(database), scrubbed, compacted);
}

void Scrubber::CompactTo(Revision compacted) { core_->CompactTo(compacted); }

void Scrubber::WhenScrubbed(Revision revision, ScrubCallback done) {
  core_->WhenScrubbed(revision, std::move(done));
}

}  // namespace pontoon::kv
