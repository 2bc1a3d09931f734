// The log of events for the people who run a node: structured lines on stderr.
//
//   LogInfo("became leader", {{"term", term}, {"reason", "the old leader is gone"}});
//
// gives, in the two formats,
//
//   2026-01-02T03:04:05.678Z INFO  became leader term=5 reason="the old leader is gone"
//   {"ts":"2026-01-02T03:04:05.678Z","level":"info","msg":"became leader","term":5,"reason":...}
//
// The message is a constant text that can be searched for; what varies goes into fields. Values may
// come from clients: they are escaped, so that none can break a line or forge another one.
//
// After InitLogging a background thread writes the lines, and a stderr that nobody reads never
// blocks the server (etcd issue 22214): when the queue is full the oldest lines are dropped, and
// the number of dropped ones is logged. Before InitLogging and after ShutdownLogging lines are
// written at once by the thread that logs.
//
// Thread safety: the Log functions may be called from any thread at any time; InitLogging and
// ShutdownLogging by one thread at a time.

#ifndef PONTOON_RAFT_ENV_LOG_H_
#define PONTOON_RAFT_ENV_LOG_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "raft/base/strong_int.h"
#include "raft/base/types.h"

namespace pontoon {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kConsole, kJson };

// A name and a value. Refers to the strings it is made from: they need to live only until the Log
// function returns, so temporaries are fine. A bool prints as true or false.
class LogField {
 public:
  using Value = std::variant<int64_t, uint64_t, bool, absl::string_view, NodeId>;

  template <std::integral T>
  LogField(absl::string_view key, T value) : key_(key), value_(Widened(value)) {}
  LogField(absl::string_view key, const char* value)
      : key_(key), value_(absl::string_view(value)) {}
  // Debian's absl::string_view is not std::string_view: this takes both, and std::string.
  template <typename T>
  requires requires(const T& text) {
    { text.data() } -> std::convertible_to<const char*>;
    { text.size() } -> std::convertible_to<size_t>;
  }
  LogField(absl::string_view key, const T& value)
      : key_(key), value_(absl::string_view(value.data(), value.size())) {}
  template <typename Tag, typename Integer>
  LogField(absl::string_view key, StrongInt<Tag, Integer> value) : LogField(key, value.value()) {}
  // As FormatNodeId.
  LogField(absl::string_view key, NodeId node) : key_(key), value_(node) {}

  absl::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  static Value Widened(bool value) { return value; }
  static Value Widened(std::signed_integral auto value) { return int64_t{value}; }
  static Value Widened(std::unsigned_integral auto value) { return uint64_t{value}; }

  absl::string_view key_;
  Value value_;
};

using LogFields = std::initializer_list<LogField>;

// Something that only a developer asks for.
void LogDebug(absl::string_view message, LogFields fields = {});
// A change of state that explains the node's behaviour later.
void LogInfo(absl::string_view message, LogFields fields = {});
// Something unusual that the node dealt with.
void LogWarn(absl::string_view message, LogFields fields = {});
// Something that the node could not deal with: a human should look.
void LogError(absl::string_view message, LogFields fields = {});

struct LogOptions {
  LogLevel level = LogLevel::kInfo;  // lines below it are not written
  LogFormat format = LogFormat::kConsole;
};

// Starts the background thread. Must not be called again before ShutdownLogging.
void InitLogging(const LogOptions& options);

// Writes what is queued and stops the background thread. Gives up after a few seconds if stderr
// takes nothing. Level and format stay as they are.
void ShutdownLogging();

// One line, without its line feed.
std::string FormatLogLine(LogFormat format, absl::Time when, LogLevel level,
                          absl::string_view message, std::span<const LogField> fields);

}  // namespace pontoon

#endif  // PONTOON_RAFT_ENV_LOG_H_
