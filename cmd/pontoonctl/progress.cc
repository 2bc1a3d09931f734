#include "cmd/pontoonctl/progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pontoon::ctl {
namespace {

constexpr std::chrono::milliseconds kBarPeriod{100};
constexpr std::chrono::seconds kLinePeriod{3};
constexpr size_t kBarLength = 30;

}  // namespace

std::string ProgressText(absl::string_view verb, uint64_t done, uint64_t total,
                         absl::Duration elapsed) {
  const double share = total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / total);
  const auto filled = static_cast<size_t>(share * kBarLength);
  const double seconds = std::max(absl::ToDoubleSeconds(elapsed), 1e-9);
  const double per_second = done / seconds;
  std::string text =
      absl::StrFormat("%s [%s%s] %3.0f%% %d/%d, %.0f/s", verb, std::string(filled, '#'),
                      std::string(kBarLength - filled, '.'), share * 100, done, total, per_second);
  if (done > 0 && done < total) {
    absl::StrAppendFormat(&text, ", %.0fs left", (total - done) / per_second);
  }
  return text;
}

Progress::Progress(std::string verb, const Terminal& terminal)
    : verb_(std::move(verb)),
      style_(terminal.progress),
      start_(Clock::now()),
      err_(terminal.err),
      drawn_at_(start_) {}

void Progress::Finish() {
  absl::MutexLock lock(&mutex_);
  finished_ = true;
  ClearBar();
}

void Progress::Expect(uint64_t items_total) {
  absl::MutexLock lock(&mutex_);
  total_ = items_total;
}

void Progress::Add(uint64_t items) {
  absl::MutexLock lock(&mutex_);
  done_ += items;
  const Clock::time_point now = Clock::now();
  const Clock::duration period = style_ == Terminal::Progress::kBar ? Clock::duration(kBarPeriod)
                                                                    : Clock::duration(kLinePeriod);
  if (!finished_ && now - drawn_at_ >= period) Draw(now);
}

void Progress::Say(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  ClearBar();
  err_ << line << std::endl;
}

void Progress::ClearBar() {
  if (bar_width_ > 0) err_ << '\r' << std::string(bar_width_, ' ') << '\r' << std::flush;
  bar_width_ = 0;
}

void Progress::Draw(Clock::time_point now) {
  drawn_at_ = now;
  const std::string text = ProgressText(verb_, done_, total_, absl::FromChrono(now - start_));
  if (style_ == Terminal::Progress::kLines) {
    err_ << text << std::endl;
    return;
  }
  const size_t blanks = bar_width_ > text.size() ? bar_width_ - text.size() : 0;
  err_ << '\r' << text << std::string(blanks, ' ') << std::flush;
  bar_width_ = text.size();
}

}  // namespace pontoon::ctl
