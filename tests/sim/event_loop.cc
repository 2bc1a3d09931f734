#include "tests/sim/event_loop.h"

#include <algorithm>
#include <utility>

#include "tests/sim/fingerprint.h"

namespace pontoon::sim {

void EventLoop::At(SimTime when, Task task) {
  size_t slot = tasks_.size();
  if (free_slots_.empty()) {
    tasks_.push_back(std::move(task));
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    tasks_[slot] = std::move(task);
  }
  heap_.push_back({std::max(when, now_), dice_.Next(), slot});
  std::push_heap(heap_.begin(), heap_.end(), Later);
}

bool EventLoop::RunNext() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later);
  const Event event = heap_.back();
  heap_.pop_back();
  now_ = event.when;
  ++events_run_;
  Note(static_cast<uint64_t>(event.when.value()) ^ event.tie);
  Task task = std::move(tasks_[event.slot]);
  free_slots_.push_back(event.slot);
  std::move(task)();
  return true;
}

void EventLoop::RunUntil(SimTime end) {
  while (!heap_.empty() && heap_.front().when <= end) RunNext();
  now_ = std::max(now_, end);
}

void EventLoop::Note(uint64_t word) { digest_ = Mix(digest_, word); }

}  // namespace pontoon::sim
