// Screen: a picture that is drawn again and again.

#ifndef PONTOON_CMD_PONTOONCTL_SCREEN_H_
#define PONTOON_CMD_PONTOONCTL_SCREEN_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cmd/pontoonctl/command.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pontoon::ctl {

// How often, and how long.
struct Repetition {
  absl::Duration interval = absl::Seconds(2);
  uint64_t count = 0;  // 0: until it is interrupted

  // --interval and --count.
  void DeclareFlags(CLI::App& app);
};

// For what is shown once, and with --watch again and again.
class WatchFlag {
 public:
  // --watch, and --interval and --count, which need it. `this` must outlive the parsing by `app`.
  void DeclareOn(CLI::App& app);

  Repetition repetition() const;

 private:
  bool watch_ = false;
  Repetition repetition_;
};

// On a terminal each picture takes the place of the one before; elsewhere (a file, a pipe) they
// follow each other, an empty line between, so that they can be kept.
class Screen {
 public:
  explicit Screen(const Terminal& terminal) : terminal_(terminal) {}

  // False: nobody reads it any more.
  bool Show(const std::string& picture);

 private:
  const Terminal& terminal_;
  bool is_first_ = true;
};

// Shows what `draw` gives, again after each interval, until it was shown so often or nobody reads
// it any more.
void ShowRepeatedly(const Terminal& terminal, const Repetition& repetition,
                    absl::FunctionRef<std::string()> draw);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SCREEN_H_
