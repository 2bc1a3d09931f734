#include "raft/env/log.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

constexpr size_t kQueuedLinesMax = 8192;
constexpr std::chrono::seconds kShutdownMax(3);

struct LevelNames {
  absl::string_view json;
  absl::string_view console;  // all of one width
};

// By LogLevel.
constexpr LevelNames kLevelNames[] = {
    {"debug", "DEBUG"}, {"info", "INFO "}, {"warn", "WARN "}, {"error", "ERROR"}};

const LevelNames& NamesOf(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

// As a JSON string, with its quotes. What is not UTF-8 becomes U+FFFD.
std::string Quoted(absl::string_view text) {
  constexpr int kCompact = -1;
  constexpr bool kAsciiOnly = false;
  return nlohmann::json(std::string(text))
      .dump(kCompact, ' ', kAsciiOnly, nlohmann::json::error_handler_t::replace);
}

// Whether a text can stand in a console line as it is and still be told from what surrounds it.
bool IsPlainWord(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=';
  });
}

bool IsPlainText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= ' ' && c < 0x7f; });
}

std::string ValueText(LogFormat format, const LogField::Value& value) {
  if (const auto* text = std::get_if<absl::string_view>(&value)) {
    const bool bare = format == LogFormat::kConsole && IsPlainWord(*text);
    return bare ? std::string(*text) : Quoted(*text);
  }
  if (const auto* node = std::get_if<NodeId>(&value)) {
    const std::string id = FormatNodeId(*node);
    return format == LogFormat::kConsole ? id : Quoted(id);
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return absl::StrCat(*number);
  return absl::StrCat(std::get<uint64_t>(value));
}

// Writes all of `line` and a line feed to stderr, whatever it is: a non-blocking pipe too. What
// cannot be written is lost; there is nobody to tell.
void WriteToStderr(std::string line) {
  line.push_back('\n');
  absl::string_view left = line;
  while (!left.empty()) {
    const ssize_t n = write(STDERR_FILENO, left.data(), left.size());
    if (n >= 0) {
      left.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      poll(&writable, 1, /*timeout=*/-1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

// What level and format are set to; read without a lock on each call of a Log function.
std::atomic<LogLevel> level_min = LogLevel::kInfo;
std::atomic<LogFormat> line_format = LogFormat::kConsole;

std::string FormatNow(LogLevel level, absl::string_view message, std::span<const LogField> fields) {
  return FormatLogLine(line_format.load(std::memory_order_relaxed), absl::Now(), level, message,
                       fields);
}

// The far end of spdlog's queue: runs on the background thread and gets finished lines.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StderrSink(spdlog::details::thread_pool* queue) : queue_(queue) {}

  // Waits until a flush that the caller has posted came through the queue.
  bool WaitForFlush(std::chrono::seconds timeout) {
    return flushed_.get_future().wait_for(timeout) == std::future_status::ready;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    ReportDropped();
    WriteToStderr(std::string(message.payload.data(), message.payload.size()));
  }

  void flush_() override {
    ReportDropped();
    flushed_.set_value();
  }

 private:
  void ReportDropped() {
    const uint64_t dropped = queue_->overrun_counter();
    if (dropped == dropped_reported_) return;
    const LogField count("count", dropped - std::exchange(dropped_reported_, dropped));
    WriteToStderr(FormatNow(LogLevel::kWarn, "log lines dropped: stderr is slow", {&count, 1}));
  }

  // Not owned: the queue calls the sink, and must not be kept alive, or destroyed, from here.
  spdlog::details::thread_pool* const queue_;
  uint64_t dropped_reported_ = 0;
  std::promise<void> flushed_;  // set by the only flush, which ShutdownLogging posts
};

// The queue, its thread and its two ends.
struct Background {
  std::shared_ptr<StderrSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
  // Goes first, and joins the thread, before what the thread uses goes.
  std::shared_ptr<spdlog::details::thread_pool> queue;
};

// The background that is in use, if any. The mutex is held for the copy of a pointer only.
class CurrentBackground {
 public:
  std::shared_ptr<Background> Get() {
    std::lock_guard lock(mutex_);
    return background_;
  }

  std::shared_ptr<Background> Exchange(std::shared_ptr<Background> background) {
    std::lock_guard lock(mutex_);
    background_.swap(background);
    return background;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<Background> background_;
};

CurrentBackground& Current() {
  static auto* const current = new CurrentBackground;  // outlives every thread that may log
  return *current;
}

void Log(LogLevel level, absl::string_view message, LogFields fields) {
  if (level < level_min.load(std::memory_order_relaxed)) return;
  std::string line = FormatNow(level, message, {fields.begin(), fields.size()});
  if (const std::shared_ptr<Background> background = Current().Get()) {
    background->logger->log(spdlog::level::critical, line);  // our level was looked at above
  } else {
    WriteToStderr(std::move(line));
  }
}

}  // namespace

void LogDebug(absl::string_view message, LogFields fields) {
  Log(LogLevel::kDebug, message, fields);
}
void LogInfo(absl::string_view message, LogFields fields) { Log(LogLevel::kInfo, message, fields); }
void LogWarn(absl::string_view message, LogFields fields) { Log(LogLevel::kWarn, message, fields); }
void LogError(absl::string_view message, LogFields fields) {
  Log(LogLevel::kError, message, fields);
}

void InitLogging(const LogOptions& options) {
  CHECK(Current().Get() == nullptr) << "InitLogging was called twice";
  level_min = options.level;
  line_format = options.format;
  auto background = std::make_shared<Background>();
  background->queue = std::make_shared<spdlog::details::thread_pool>(
      kQueuedLinesMax, /*threads_n=*/1, [] { pthread_setname_np(pthread_self(), "log"); });
  background->sink = std::make_shared<StderrSink>(background->queue.get());
  background->logger =
      std::make_shared<spdlog::async_logger>("pontoon", background->sink, background->queue,
                                             spdlog::async_overflow_policy::overrun_oldest);
  Current().Exchange(std::move(background));
}

void ShutdownLogging() {
  std::shared_ptr<Background> background = Current().Exchange(nullptr);
  if (background == nullptr) return;
  background->logger->flush();
  if (background->sink->WaitForFlush(kShutdownMax)) return;
  // The thread hangs in a write. Joining it would hang too: it dies with the process.
  new std::shared_ptr<Background>(std::move(background));
}

std::string FormatLogLine(LogFormat format, absl::Time when, LogLevel level,
                          absl::string_view message, std::span<const LogField> fields) {
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", when, absl::UTCTimeZone());
  std::string line;
  if (format == LogFormat::kJson) {
    absl::StrAppend(&line, "{\"ts\":\"", time, "\",\"level\":\"", NamesOf(level).json,
                    "\",\"msg\":", Quoted(message));
    for (const LogField& field : fields) {
      absl::StrAppend(&line, ",", Quoted(field.key()), ":", ValueText(format, field.value()));
    }
    absl::StrAppend(&line, "}");
  } else {
    absl::StrAppend(&line, time, " ", NamesOf(level).console, " ",
                    IsPlainText(message) ? std::string(message) : Quoted(message));
    for (const LogField& field : fields) {
      absl::StrAppend(&line, " ", field.key(), "=", ValueText(format, field.value()));
    }
  }
  return line;
}

}  // namespace pontoon
