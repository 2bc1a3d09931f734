// Progress: shows on stderr that a long job goes on.

#ifndef PONTOON_CMD_PONTOONCTL_PROGRESS_H_
#define PONTOON_CMD_PONTOONCTL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "cmd/pontoonctl/command.h"

namespace pontoon::ctl {

// A bar that is drawn over itself several times a second on a terminal, or else a line every few
// seconds. It is drawn by the calls that report progress; a job that hangs shows the last state.
//
// Thread safe. The stream must outlive it, and nobody else may write to it meanwhile: messages go
// through Say.
class Progress {
 public:
  // `verb` is what happens to each item: "import".
  Progress(std::string verb, const Terminal& terminal);

  ~Progress() { Finish(); }

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Sets the number of items that there are in all.
  void Expect(uint64_t items_total);

  void Add(uint64_t items);

  // Clears the bar, which is then drawn no more: before the result is printed.
  void Finish();

  // Prints a line of its own.
  void Say(absl::string_view line);

 private:
  using Clock = std::chrono::steady_clock;

  void ClearBar() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Draw(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string verb_;
  const Terminal::Progress style_;
  const Clock::time_point start_;
  absl::Mutex mutex_;
  std::ostream& err_ ABSL_GUARDED_BY(mutex_);
  uint64_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  Clock::time_point drawn_at_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  size_t bar_width_ ABSL_GUARDED_BY(mutex_) = 0;
};

// "import [#####.....] 50% 901/1802, 450/s, 2s left", for the state after `elapsed`.
std::string ProgressText(absl::string_view verb, uint64_t done, uint64_t total,
                         absl::Duration elapsed);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_PROGRESS_H_
