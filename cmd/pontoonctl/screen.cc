#include "cmd/pontoonctl/screen.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "cmd/pontoonctl/flag_values.h"

namespace pontoon::ctl {
namespace {

// ECMA-48: to the upper left corner; to the end of the line, and of the screen, all is wiped.
constexpr char kHome[] = "\x1b[H";
constexpr char kWipeLine[] = "\x1b[K\n";
constexpr char kWipeRest[] = "\x1b[J";

}  // namespace

void Repetition::DeclareFlags(CLI::App& app) {
  AddDurationFlag(app, "--interval", interval, "How long from one picture to the next");
  app.add_option("--count", count, "So many pictures; 0: until it is interrupted");
}

void WatchFlag::DeclareOn(CLI::App& app) {
  CLI::Option* const watch = app.add_flag("--watch", watch_, "Shows it again and again");
  repetition_.DeclareFlags(app);
  for (const char* flag : {"--interval", "--count"}) app.get_option(flag)->needs(watch);
}

Repetition WatchFlag::repetition() const { return watch_ ? repetition_ : Repetition{.count = 1}; }

// Not wiped as a whole before each picture: that would flicker.
bool Screen::Show(const std::string& picture) {
  std::ostream& out = terminal_.out;
  if (terminal_.out_is_screen) {
    if (is_first_) out << kHome << kWipeRest;
    out << kHome << absl::StrReplaceAll(picture, {{"\n", kWipeLine}}) << kWipeRest;
  } else {
    if (!is_first_) out << '\n';
    out << picture;
  }
  is_first_ = false;
  return static_cast<bool>(out.flush());
}

void ShowRepeatedly(const Terminal& terminal, const Repetition& repetition,
                    absl::FunctionRef<std::string()> draw) {
  // Nothing takes its place, so it takes nothing's.
  if (repetition.count == 1) {
    terminal.out << draw() << std::flush;
    return;
  }
  Screen screen(terminal);
  for (uint64_t shown = 0; repetition.count == 0 || shown < repetition.count; ++shown) {
    if (shown > 0) absl::SleepFor(repetition.interval);
    if (!screen.Show(draw())) return;
  }
}

}  // namespace pontoon::ctl
