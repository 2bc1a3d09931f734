#include "raft/env/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "raft/base/types.h"

namespace pontoon {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Line(LogFormat format, LogLevel level, absl::string_view message, LogFields fields) {
  const absl::Time when = absl::FromUnixMillis(1'767'323'045'678);
  return FormatLogLine(format, when, level, message, {fields.begin(), fields.size()});
}

TEST(FormatLogLine, Console) {
  EXPECT_EQ(Line(LogFormat::kConsole, LogLevel::kInfo, "became leader",
                 {{"term", Term(5)}, {"by", "vote"}, {"old", false}, {"lag", -3}}),
            "2026-01-02T03:04:05.678Z INFO  became leader term=5 by=vote old=false lag=-3");
  EXPECT_EQ(Line(LogFormat::kConsole, LogLevel::kError, "stopped", {}),
            "2026-01-02T03:04:05.678Z ERROR stopped");
}

TEST(FormatLogLine, ConsoleValuesCannotForgeFieldsOrLines) {
  EXPECT_THAT(Line(LogFormat::kConsole, LogLevel::kWarn, "refused",
                   {{"a", "two words"}, {"b", "x=1"}, {"c", ""}, {"d", "a\nb\x1b[31m"}}),
              EndsWith(R"(WARN  refused a="two words" b="x=1" c="" d="a\nb\u001b[31m")"));
}

TEST(FormatLogLine, Json) {
  EXPECT_EQ(Line(LogFormat::kJson, LogLevel::kInfo, "became leader",
                 {{"term", Term(5)}, {"big", UINT64_MAX}, {"ok", true}, {"why", "\"x\"\n"}}),
            R"({"ts":"2026-01-02T03:04:05.678Z","level":"info","msg":"became leader",)"
            R"("term":5,"big":18446744073709551615,"ok":true,"why":"\"x\"\n"})");
}

TEST(FormatLogLine, NodesAreNamedAsMemberListsNameThem) {
  const LogField fields[] = {{"leader", NodeId(0xa696286ce70c8f6)}, {"old", kNoNode}};
  EXPECT_THAT(FormatLogLine(LogFormat::kConsole, absl::UnixEpoch(), LogLevel::kInfo, "m", fields),
              testing::EndsWith(" m leader=a696286ce70c8f6 old=none"));
  EXPECT_THAT(FormatLogLine(LogFormat::kJson, absl::UnixEpoch(), LogLevel::kInfo, "m", fields),
              testing::EndsWith(R"("leader":"a696286ce70c8f6","old":"none"})"));
}

TEST(FormatLogLine, EveryByteGivesValidJson) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string value = absl::StrCat("<", std::string(1, static_cast<char>(byte)), ">");
    const std::string line = Line(LogFormat::kJson, LogLevel::kDebug, "m", {{"key", value}});
    const auto parsed = nlohmann::json::parse(line);
    EXPECT_EQ(parsed["level"], "debug");
    EXPECT_EQ(parsed["key"], byte < 128 ? value : "<\xef\xbf\xbd>");
  }
}

TEST(Log, BeforeInitLinesAreWrittenAtOnce) {
  testing::internal::CaptureStderr();
  LogDebug("too low");
  LogInfo("hello", {{"n", 1}});
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, HasSubstr(" INFO  hello n=1\n"));
  EXPECT_THAT(out, Not(HasSubstr("too low")));
}

TEST(Log, ShutdownWritesEverythingThatWasQueued) {
  testing::internal::CaptureStderr();
  InitLogging({.level = LogLevel::kDebug, .format = LogFormat::kJson});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) LogDebug("line", {{"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  ShutdownLogging();
  LogWarn("after");
  const std::string out = testing::internal::GetCapturedStderr();
  std::vector<std::string> lines = absl::StrSplit(out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2001u);
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_THAT(lines.back(), HasSubstr("after"));
}

// Stands in for stderr: a pipe that nobody reads until ReadAll.
class BlockedStderr {
 public:
  BlockedStderr() : saved_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    fcntl(ends_[1], F_SETPIPE_SZ, 4096);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }

  // Reads until the last writer is gone; stderr is the old one again.
  void StartReading() {
    reader_ = std::thread([this] {
      char buffer[4096];
      for (ssize_t n; (n = read(ends_[0], buffer, sizeof(buffer))) > 0;) out_.append(buffer, n);
    });
  }
  std::string Finish() {
    dup2(saved_, STDERR_FILENO);
    reader_.join();
    close(ends_[0]);
    close(saved_);
    return out_;
  }

 private:
  int saved_;
  int ends_[2];
  std::thread reader_;
  std::string out_;
};

TEST(Log, ABlockedStderrBlocksNobodyAndTheLossIsCounted) {
  BlockedStderr pipe;
  InitLogging({.level = LogLevel::kInfo, .format = LogFormat::kConsole});
  for (int i = 0; i < 20'000; ++i) LogInfo("line", {{"i", i}});
  pipe.StartReading();
  ShutdownLogging();
  const std::string out = pipe.Finish();
  EXPECT_THAT(out, HasSubstr("log lines dropped: stderr is slow count="));
  EXPECT_THAT(out, HasSubstr("line i=19999\n"));
}

}  // namespace
}  // namespace pontoon
