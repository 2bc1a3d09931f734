// An executor that is a thread: a queue and a heap of timers under one mutex.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "raft/base/check.h"
#include "raft/env/clock.h"
#include "raft/env/executor.h"

namespace pontoon {
namespace {

// The most that pthread_setname_np takes, without the terminating zero.
constexpr size_t kThreadNameLengthMax = 15;

// The thread takes everything that is due in one go and runs it without the lock, so that under
// load one wake-up serves many posts, and a post finds the thread awake and pays no system call.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(const std::string& name) {
    CHECK_LE(name.size(), kThreadNameLengthMax) << name;
    thread_ = std::thread([this, name] {
      pthread_setname_np(pthread_self(), name.c_str());
      Run();
    });
  }

  ~ThreadExecutor() override {
    CHECK(thread_.get_id() != std::this_thread::get_id()) << "an executor cannot destroy itself";
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    // What a dropped task owns may post in its destructor: that is dropped too, and as the posting
    // takes the mutex, nothing is destroyed under it.
    std::vector<Task>().swap(queue_);
    std::vector<Timer>().swap(timers_);
  }

  void Post(Task task) override {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      queue_.push_back(std::move(task));
      if (!std::exchange(asleep_, false)) return;
    }
    wake_.notify_one();
  }

  void PostAt(Instant when, Task task) override {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      timers_.push_back(Timer{when, next_timer_++, std::move(task)});
      std::push_heap(timers_.begin(), timers_.end(), Later);
      if (timers_.front().when < when || !std::exchange(asleep_, false)) return;
    }
    wake_.notify_one();
  }

 private:
  struct Timer {
    Instant when;
    uint64_t order;  // breaks ties: first posted, first run
    Task task;
  };

  // The order of the heap, whose front is its greatest element.
  static bool Later(const Timer& a, const Timer& b) {
    return a.when > b.when || (a.when == b.when && a.order > b.order);
  }

  void Run() {
    std::vector<Task> batch;
    while (TakeBatch(&batch)) {
      for (Task& task : batch) {
        if (stopping_) return;
        std::move(task)();
        task = nullptr;  // what it owns is released before the next one runs
      }
      batch.clear();
    }
  }

  // Waits for work and takes all of it. False: the executor is being destroyed.
  bool TakeBatch(std::vector<Task>* batch) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      TakeDueTimers();
      if (!queue_.empty()) {
        batch->swap(queue_);
        return true;
      }
      Sleep(&lock);
    }
    return false;
  }

  // Moves timers whose time has come to the end of the queue.
  void TakeDueTimers() {
    if (timers_.empty()) return;
    const Instant now = Clock::System()->Now();
    while (!timers_.empty() && timers_.front().when <= now) {
      std::pop_heap(timers_.begin(), timers_.end(), Later);
      queue_.push_back(std::move(timers_.back().task));
      timers_.pop_back();
    }
  }

  // Sleeps until something is posted or the first timer is due; may return early. A condition
  // variable cannot wait on CLOCK_BOOTTIME: a timer whose time came while the machine was suspended
  // runs late by what was left of the wait then, or with the first task that is posted.
  void Sleep(std::unique_lock<std::mutex>* lock) {
    asleep_ = true;
    if (timers_.empty() || timers_.front().when == Instant::InfiniteFuture()) {
      wake_.wait(*lock);
    } else {
      const absl::Duration left = timers_.front().when - Clock::System()->Now();
      wake_.wait_for(*lock, std::min(absl::ToChronoNanoseconds(left), kSleepMax));
    }
    asleep_ = false;
  }

  // Keeps a timer in the far future from overflowing the time of the wait.
  static constexpr std::chrono::nanoseconds kSleepMax = std::chrono::hours(1);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Task> queue_;    // guarded by mutex_; in the order of posting
  std::vector<Timer> timers_;  // guarded by mutex_; a heap, the earliest in front
  uint64_t next_timer_ = 0;    // guarded by mutex_
  // Guarded by mutex_: the thread sleeps and nobody has woken it yet.
  bool asleep_ = false;
  // Written under mutex_; read without it between two tasks of a batch.
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Executor> NewThreadExecutor(const std::string& name) {
  return std::make_unique<ThreadExecutor>(name);
}

}  // namespace pontoon
