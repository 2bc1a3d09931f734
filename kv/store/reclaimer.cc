#include "kv/store/reclaimer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"

namespace pontoon::kv {

class Reclaimer::Core : public std::enable_shared_from_this<Core> {
 public:
  struct Job {
    std::string next;  // what comes before is done
    std::string end;
    ReclaimCallback done;
    bool begun = false;
  };

  Core(Executor* executor, Prepare prepare) : executor_(executor), prepare_(std::move(prepare)) {}

  void Add(Job job) {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    ScheduleIfNeeded();
  }

  void Stop() {
    std::deque<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      stopped_ = true;
      step_ended_.wait(lock, [this] { return !running_; });
      jobs.swap(jobs_);
    }
    for (Job& job : jobs) std::move(job.done)(absl::CancelledError("the store is closing"));
  }

 private:
  // Needs the lock.
  void ScheduleIfNeeded() {
    if (scheduled_ || running_ || stopped_ || jobs_.empty()) return;
    scheduled_ = true;
    executor_->Post([self = shared_from_this()] { self->RunStep(); });
  }

  // On the executor. The first job is changed only here, and by Stop, which waits.
  void RunStep() {
    Job* job;
    {
      std::lock_guard lock(mutex_);
      scheduled_ = false;
      if (stopped_) return;
      running_ = true;
      job = &jobs_.front();
    }
    const absl::Status status = DoStep(job);
    std::deque<Job> ended;
    {
      std::lock_guard lock(mutex_);
      running_ = false;
      step_ended_.notify_all();
      if (!status.ok() || jobs_.front().next >= jobs_.front().end) {
        ended.push_back(std::move(jobs_.front()));
        jobs_.pop_front();
      }
      ScheduleIfNeeded();
    }
    for (Job& job : ended) std::move(job.done)(status);
  }

  absl::Status DoStep(Job* job) {
    const std::shared_ptr<Database> database = prepare_();
    if (!job->begun) {  // removals that are still in memory reach the tables
      if (absl::Status s = database->Sync(); !s.ok()) return s;
      job->begun = true;
    }
    job->next = database->CompactStep(job->next, job->end);
    return absl::OkStatus();
  }

  Executor* const executor_;
  const Prepare prepare_;

  std::mutex mutex_;  // guards all below, but a running step uses the first job without it
  std::condition_variable step_ended_;
  std::deque<Job> jobs_;
  bool scheduled_ = false;  // a step is posted
  bool running_ = false;    // a step runs
  bool stopped_ = false;
};

Reclaimer::Reclaimer(Executor* executor, Prepare prepare)
    : core_(std::make_shared<Core>(executor, std::move(prepare))) {}

Reclaimer::~Reclaimer() { core_->Stop(); }

void Reclaimer::Reclaim(std::string begin, std::string end, ReclaimCallback done) {
  core_->Add({.next = std::move(begin), .end = std::move(end), .done = std::move(done)});
}

}  // namespace pontoon::kv
