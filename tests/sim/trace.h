// Trace: the story of a run, for people.

#ifndef PONTOON_TESTS_SIM_TRACE_H_
#define PONTOON_TESTS_SIM_TRACE_H_

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sim/event_loop.h"

namespace pontoon::sim {

// Prints lines with the time in front. Costs nothing while it is off: Say makes no text then.
//
// Thread safety: none.
class Trace {
 public:
  Trace(const EventLoop* loop, bool on) : loop_(loop), on_(on) {}

  bool on() const { return on_; }

  template <typename... Parts>
  void Say(const Parts&... parts) const {
    if (!on_) return;
    const double seconds = static_cast<double>(loop_->now().value()) / 1e9;
    std::printf("%12.6f  %s\n", seconds, absl::StrCat(parts...).c_str());
  }

 private:
  const EventLoop* const loop_;
  const bool on_;
};

}  // namespace pontoon::sim

#endif  // PONTOON_TESTS_SIM_TRACE_H_
