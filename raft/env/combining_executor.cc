// An executor without a thread of its own for posted tasks: who brings one runs it.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "raft/env/executor.h"

namespace pontoon {
namespace {

// A thread that posts while nobody runs tasks here becomes the runner: it runs its own task, and
// then whatever others have posted meanwhile ("flat combining", Hendler et al., SPAA 2010). An idle
// node so answers a message on the thread that received it, without a wake-up; a busy one gathers
// the work of many threads into one batch. A runner that finds no end hands over to a helper
// thread, which also watches the timers.
class CombiningExecutor final : public Executor {
 public:
  explicit CombiningExecutor(const std::string& name) : helper_(NewThreadExecutor(name)) {}

  ~CombiningExecutor() override {
    {
      std::unique_lock lock(mutex_);
      stopping_ = true;
      idle_.wait(lock, [this] { return !running_ || handed_over_; });
    }
    helper_.reset();
    std::vector<Task>().swap(queue_);
  }

  void Post(Task task) override {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      queue_.push_back(std::move(task));
      if (std::exchange(running_, true)) return;
    }
    RunBatches();
  }

  void PostAt(Instant when, Task task) override {
    helper_->PostAt(when, [this, task = std::move(task)]() mutable { Post(std::move(task)); });
  }

 private:
  // How many batches a thread runs that came with one task. A runner has other duties: it may be
  // the one that reads from the network, or writes to the disk.
  static constexpr int kBatchesMax = 8;

  // Requires that this thread has set running_, or was handed it.
  void RunBatches() {
    std::vector<Task> batch;
    for (int round = 0; round < kBatchesMax; ++round) {
      if (!TakeBatch(&batch)) return;
      for (Task& task : batch) {
        if (!stopping_) std::move(task)();
        task = nullptr;  // what it owns is released before the next one runs
      }
      batch.clear();
    }
    HandOver();
  }

  // False: there is nothing to run, and this thread is the runner no more.
  bool TakeBatch(std::vector<Task>* batch) {
    std::lock_guard lock(mutex_);
    if (queue_.empty() || stopping_) {
      running_ = false;
      idle_.notify_all();
      return false;
    }
    batch->swap(queue_);
    return true;
  }

  void HandOver() {
    std::lock_guard lock(mutex_);
    handed_over_ = true;
    helper_->Post([this] {
      {
        std::lock_guard lock(mutex_);
        handed_over_ = false;
      }
      RunBatches();
    });
    idle_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable idle_;  // signalled when a runner stops
  std::vector<Task> queue_;       // guarded by mutex_; in the order of posting
  bool running_ = false;          // guarded by mutex_: there is a runner, or one is on its way
  bool handed_over_ = false;      // guarded by mutex_: the helper will be the runner
  // Written under mutex_; read without it between two tasks of a batch.
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<Executor> helper_;
};

}  // namespace

std::unique_ptr<Executor> NewCombiningExecutor(const std::string& name) {
  return std::make_unique<CombiningExecutor>(name);
}

}  // namespace pontoon
