#include "kv/lock/change_waiter.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "kv/store/layout.h"
#include "kv/store/record_reader.h"
#include "raft/env/log.h"

namespace pontoon::kv {

ChangeWaiter::ChangeWaiter(KvStore* store, Executor* executor)
    : store_(store), bell_(executor, [this] { Run(); }) {
  store_->Subscribe(this);
}

void ChangeWaiter::Close() {
  store_->Unsubscribe(this);
  bell_.Close();
}

void ChangeWaiter::LookSoon(std::shared_ptr<Waiter> waiter) {
  // Before the view is taken that it looks at: a step that finds nobody interested is in that view.
  ++interested_;
  {
    std::lock_guard lock(mutex_);
    to_look_.push_back(std::move(waiter));
  }
  bell_.Ring();
}

void ChangeWaiter::OnStep(const StoreStep& step) {
  if (interested_ == 0) return;
  if (step.kind == StoreStep::Kind::kInstalled) {
    std::lock_guard lock(mutex_);
    installed_ = true;
  }
  bell_.Ring();
}

// ---- on the executor

void ChangeWaiter::Run() {
  Waiters called;
  bool installed = false;
  {
    std::lock_guard lock(mutex_);
    called.swap(to_look_);
    installed = std::exchange(installed_, false);
  }
  const std::shared_ptr<const ReadView> view = store_->View();
  Waiters woken;
  if (installed || view->compacted() > seen_) {
    WakeAll(&woken);  // events may be missing
  } else if (absl::Status s = WakeForEvents(*view, &woken); !s.ok()) {
    LogError("cannot read what has changed, for those who wait for locks",
             {{"reason", s.ToString()}});
    WakeAll(&woken);
  }
  seen_ = view->revision();
  for (const std::shared_ptr<Waiter>& waiter : called) Forget(waiter);
  std::move(called.begin(), called.end(), std::back_inserter(woken));
  for (std::shared_ptr<Waiter>& waiter : woken) {
    Forget(waiter);  // it may have been called twice
    waiter->waits_for_ = waiter->Look(*view);
    if (waiter->waits_for_.has_value()) {
      waiting_[*waiter->waits_for_].push_back(std::move(waiter));
    } else {
      --interested_;
    }
  }
}

absl::Status ChangeWaiter::WakeForEvents(const ReadView& view, Waiters* woken) {
  if (waiting_.empty() || view.revision() == seen_) return absl::OkStatus();
  const std::unique_ptr<RecordIterator> record = view.records().NewIterator();
  for (record->Seek(EventKey({seen_.Next(), 0}));
       record->Valid() && record->key().front() == kEventPrefix; record->Next()) {
    const std::optional<EventId> id = ParseEventKey(record->key());
    const std::optional<Event> event = id ? DecodeEvent(*id, record->value()) : std::nullopt;
    if (!event.has_value()) return absl::DataLossError("damaged record of an event");
    Wake(event->key, woken);
  }
  return record->status();
}

void ChangeWaiter::Wake(std::string_view key, Waiters* woken) {
  WakeWhere(std::string(key), woken);
  for (size_t slash = key.find('/'); slash != std::string_view::npos;
       slash = key.find('/', slash + 1)) {
    WakeWhere(std::string(key.substr(0, slash + 1)), woken);
  }
}

void ChangeWaiter::WakeWhere(const std::string& what, Waiters* woken) {
  const auto found = waiting_.find(what);
  if (found == waiting_.end()) return;
  for (std::shared_ptr<Waiter>& waiter : found->second) {
    waiter->waits_for_.reset();
    woken->push_back(std::move(waiter));
  }
  waiting_.erase(found);
}

void ChangeWaiter::WakeAll(Waiters* woken) {
  while (!waiting_.empty()) WakeWhere(std::string(waiting_.begin()->first), woken);
}

void ChangeWaiter::Forget(const std::shared_ptr<Waiter>& waiter) {
  if (!waiter->waits_for_.has_value()) return;
  const auto found = waiting_.find(*std::exchange(waiter->waits_for_, std::nullopt));
  std::erase(found->second, waiter);
  if (found->second.empty()) waiting_.erase(found);
  --interested_;
}

}  // namespace pontoon::kv
