#include "kv/read/revision_waiter.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kv/errors.h"
#include "kv/store/read_view.h"

namespace pontoon::kv {

RevisionWaiter::RevisionWaiter(KvStore* store, const Clock* clock,
                               std::unique_ptr<Executor> executor)
    : store_(store),
      clock_(clock),
      executor_(std::move(executor)),
      bell_(executor_.get(), [this] { Run(); }) {
  store_->Subscribe(this);
}

RevisionWaiter::~RevisionWaiter() {
  store_->Unsubscribe(this);
  bell_.Close();
  executor_.reset();
}

void RevisionWaiter::Stop() {
  stopped_ = true;
  bell_.Ring();
}

void RevisionWaiter::Await(Revision revision, Instant deadline, Callback done) {
  if (store_->View()->revision() >= revision) return std::move(done)(absl::OkStatus());
  // A step that finds nobody waiting is in the view that Run looks at.
  if (count_.fetch_add(1) >= kWaitingMax) {
    --count_;
    return std::move(done)(kErrRequestTooManyRequests);
  }
  {
    absl::MutexLock lock(&mutex_);
    waiting_.emplace(revision, Waiting{deadline, std::move(done)});
  }
  bell_.Ring();
}

void RevisionWaiter::OnStep(const StoreStep&) {
  if (count_ > 0) bell_.Ring();
}

// ---- on the executor

void RevisionWaiter::Run() {
  const Revision revision = store_->View()->revision();
  const Instant now = clock_->Now();
  std::vector<std::pair<Callback, absl::Status>> ended;
  {
    absl::MutexLock lock(&mutex_);
    // A step ends the wait of those who come first. Whose time is over is looked for now and then.
    const bool looks = stopped_ || now >= next_look_;
    const auto end = looks ? waiting_.end() : waiting_.upper_bound(revision);
    if (looks) next_look_ = now + kLookInterval;
    for (auto waiting = waiting_.begin(); waiting != end;) {
      const bool reached = waiting->first <= revision;
      if (!reached && !stopped_ && now < waiting->second.deadline) {
        ++waiting;
        continue;
      }
      absl::Status status;
      if (!reached && stopped_) {
        status = kErrStopped;
      } else if (!reached) {
        status = absl::UnavailableError(absl::StrCat("pontoon: this member has come to revision ",
                                                     revision.value(), ", and revision ",
                                                     waiting->first.value(), " was asked for"));
      }
      ended.emplace_back(std::move(waiting->second.done), std::move(status));
      waiting = waiting_.erase(waiting);
    }
    if (!waiting_.empty()) bell_.RingAt(next_look_);
  }
  count_ -= ended.size();
  for (auto& [done, status] : ended) std::move(done)(std::move(status));
}

}  // namespace pontoon::kv
