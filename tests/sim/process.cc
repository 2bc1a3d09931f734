#include "tests/sim/process.h"

#include <deque>
#include <utility>

#include "raft/base/check.h"

namespace pontoon::sim {
namespace {

constexpr int64_t kMillion = 1000000;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Instant VirtualClock::At(SimTime time) const {
  const int64_t t = time.value();
  return Instant::FromNanos(absl::ToInt64Nanoseconds(error_.offset) + t +
                            FloorDivide(t * error_.rate_ppm, kMillion));
}

SimTime VirtualClock::TimeOf(Instant reading) const {
  const int64_t shown = reading.nanos() - absl::ToInt64Nanoseconds(error_.offset);
  if (shown <= 0) return SimTime();
  // The guess is off by a few nanoseconds at most.
  const double rate = 1 + static_cast<double>(error_.rate_ppm) / kMillion;
  SimTime time(static_cast<int64_t>(static_cast<double>(shown) / rate));
  while (At(time) < reading) time = time + 1;
  while (time > SimTime() && At(time - 1) >= reading) time = time - 1;
  return time;
}

// The tasks of one executor. Events on the loop may find it after its executor is gone.
class Process::Lane : public std::enable_shared_from_this<Lane> {
 public:
  Lane(Process* process, const char* name, Pace pace)
      : process_(process), name_(name), pace_(std::move(pace)) {}

  void Post(Task task) {
    if (closed_ || process_->dead_) return;
    waiting_.push_back(std::move(task));
    Schedule();
  }

  void PostAt(Instant when, Task task) {
    if (closed_ || process_->dead_) return;
    process_->loop_->At(process_->clock_->TimeOf(when),
                        [lane = shared_from_this(), task = std::move(task)]() mutable {
                          if (!lane->closed_) lane->Post(std::move(task));
                        });
  }

  void Schedule() {
    if (scheduled_ || running_ || closed_ || waiting_.empty() || process_->paused_) return;
    scheduled_ = true;
    process_->loop_->After(pace_(), [lane = shared_from_this()] { lane->RunOne(); });
  }

  void Close() {
    CHECK(!running_) << "an executor cannot end within its own task";
    closed_ = true;
    waiting_.clear();
  }

 private:
  void RunOne() {
    scheduled_ = false;
    if (closed_ || process_->dead_ || process_->paused_ || waiting_.empty()) return;
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = true;
    const char* const before = std::exchange(process_->running_, name_);
    std::move(task)();
    process_->running_ = before;
    running_ = false;
    Schedule();
  }

  Process* const process_;
  const char* const name_;
  const Pace pace_;
  std::deque<Task> waiting_;
  bool scheduled_ = false;
  bool running_ = false;
  bool closed_ = false;
};

class Process::LaneExecutor final : public Executor {
 public:
  explicit LaneExecutor(std::shared_ptr<Lane> lane) : lane_(std::move(lane)) {}
  ~LaneExecutor() override { lane_->Close(); }

  void Post(Task task) override { lane_->Post(std::move(task)); }
  void PostAt(Instant when, Task task) override { lane_->PostAt(when, std::move(task)); }

 private:
  const std::shared_ptr<Lane> lane_;
};

std::unique_ptr<Executor> Process::NewExecutor(const char* name, Pace pace) {
  lanes_.push_back(std::make_shared<Lane>(this, name, std::move(pace)));
  return std::make_unique<LaneExecutor>(lanes_.back());
}

void Process::Resume() {
  paused_ = false;
  for (const std::shared_ptr<Lane>& lane : lanes_) lane->Schedule();
}

}  // namespace pontoon::sim
