#include "cmd/pontoonctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace pontoon::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Result {
  ExitCode code;
  std::string out;
  std::string err;
};

Result RunPontoonctl(const std::vector<std::string>& arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  const ExitCode code =
      RunCommandLine(arguments, Terminal{in, out, err, Terminal::Progress::kLines});
  return {code, out.str(), err.str()};
}

TEST(CommandLine, BadUsageIsOneLineAndExitCode2) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{}, "pontoonctl: a command is missing; see pontoonctl --help\n"},
      {{"frobnicate"}, "pontoonctl: unknown command or flag \"frobnicate\"; see pontoonctl --help"},
      {{"--frobnicate", "get", "a"}, "--frobnicate"},
      {{"get", "a", "--frobnicate"}, "--frobnicate"},
      {{"get"}, "pontoonctl: key is required; see pontoonctl get --help\n"},
      {{"member"}, "pontoonctl: a command is missing; see pontoonctl member --help\n"},
      {{"member", "frobnicate"}, "unknown command or flag \"frobnicate\"; see pontoonctl member"},
      {{"member", "add", "d"}, "--peer-urls is required"},
      {{"member", "add", "--peer-urls", "http://d:1"}, "name is required"},
      {{"member", "remove"}, "id is required"},
      {{"member", "remove", "node4"}, "\"node4\" is no member id, such as 8e9e05c52164694d"},
      {{"member", "promote", "0"}, "\"0\" is no member id"},
      {{"member", "update", "8e9e05c52164694d"}, "--peer-urls is required"},
      {{"move-leader"}, "target_id is required"},
      {{"move-leader", "node4"}, "\"node4\" is no member id, such as 8e9e05c52164694d"},
      {{"bench"}, "a command is missing; see pontoonctl bench --help"},
      {{"put", "k", "v", "w"}, "w"},
      {{"put", "options", "--verbose"}, "--verbose"},
      {{"get", "a", "--limit", "many"}, "--limit"},
      {{"--output", "xml", "get", "a"}, "--output"},
      {{"--timeout", "soon", "get", "a"}, "\"soon\" is not a time such as 500ms"},
      {{"--timeout", "0s", "get", "a"}, "\"0s\" is not a time"},
      {{"--endpoints", "nowhere", "get", "a"}, "bad endpoint \"nowhere\": no port"},
      {{"get", "a", "b", "--prefix"}, "pontoonctl: get: only one of RANGE_END, --prefix"},
      {{"get", "a", "--print-value-only", "--keys-only"}, "--print-value-only needs values"},
      {{"export", "p/", "/dev/null/x", "--serializable", "--endpoints", "a:1,b:1"}, "one endpoint"},
      {{"export", "p/", "/dev/null/x", "--serializable", "--consistency", "lease"},
       "export: --serializable is --consistency follower, and not lease"},
      {{"export", "p/", "/dev/null/x", "--max-staleness", "5"}, "bad --max-staleness \"5\""},
      {{"import", "/nowhere", "p/"}, "/nowhere: No such file or directory"},
      {{"import", "/tmp", "p/", "--concurrency", "0"}, "--concurrency"},
      {{"bench", "put", "--keys", "1000000", "--key-size", "8"}, "needs --key-size 12 at least"},
      {{"bench", "put", "--total", "5", "--duration", "5s"}, "--total excludes --duration"},
      {{"bench", "put", "--rate", "0"}, "--rate"},
      {{"compact", "x"}, "revision"},
      {{"watch"}, "pontoonctl: key is required; see pontoonctl watch --help\n"},
      {{"watch", "--", "a"}, "key is required"},
      {{"watch", "a", "b", "--prefix"}, "only one of RANGE_END, --prefix"},
      {{"watch", "a", "--rev", "-1"}, "--rev"},
      {{"lease"}, "a command is missing; see pontoonctl lease --help"},
      {{"lease", "grant"}, "ttl is required"},
      {{"lease", "grant", "0"}, "ttl"},
      {{"lease", "grant", "5", "--id", "x"}, "bad lease ID \"x\": give it in hexadecimal digits"},
      {{"lease", "revoke", "0"}, "0 is no lease ID"},
      {{"lease", "timetolive", "x"}, "bad lease ID \"x\""},
      {{"lease", "keep-alive"}, "id is required"},
      {{"lock"}, "name is required"},
      {{"lock", ""}, "the name is empty"},
      {{"lock", "l", "--ttl", "0"}, "--ttl"},
      {{"elect", "e"}, "give a VALUE to stand with, or --listen"},
      {{"elect", "e", "v", "--listen"}, "excludes"},
      {{"elect", "e", "--listen", "--", "true"}, "--listen runs no command"},
      {{"snapshot", "save", "f", "--endpoints", "a:1,b:1"}, "give one endpoint"},
      {{"completion", "fish"}, "shell"},
      {{"mirror"}, "--target is required"},
      {{"mirror", "--target", "nowhere"}, "bad endpoint \"nowhere\": no port"},
      {{"--output", "watch", "put", "a", "--", "b"}, "--output"},
  };
  for (const auto& c : cases) {
    const Result result = RunPontoonctl(c.arguments);
    EXPECT_EQ(result.code, ExitCode::kUsage) << ::testing::PrintToString(c.arguments);
    EXPECT_THAT(result.err, AllOf(StartsWith("pontoonctl: "), HasSubstr(c.message)));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST(CommandLine, EveryCommandHasHelpWithExamples) {
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"put"},
                                             {"get"},
                                             {"del"},
                                             {"txn"},
                                             {"compact"},
                                             {"watch"},
                                             {"lease", "grant"},
                                             {"lease", "revoke"},
                                             {"lease", "timetolive"},
                                             {"lease", "list"},
                                             {"lease", "keep-alive"},
                                             {"lock"},
                                             {"elect"},
                                             {"alarm", "list"},
                                             {"alarm", "disarm"},
                                             {"defrag"},
                                             {"hash"},
                                             {"snapshot", "save"},
                                             {"snapshot", "status"},
                                             {"snapshot", "restore"},
                                             {"check", "health"},
                                             {"check", "perf"},
                                             {"check", "datascale"},
                                             {"mirror"},
                                             {"completion"},
                                             {"status"},
                                             {"top"},
                                             {"health"},
                                             {"member", "list"},
                                             {"member", "add"},
                                             {"member", "remove"},
                                             {"member", "update"},
                                             {"member", "promote"},
                                             {"move-leader"},
                                             {"import"},
                                             {"export"},
                                             {"bench", "put"},
                                             {"bench", "get"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--help");
    const Result result = RunPontoonctl(arguments);
    EXPECT_EQ(result.code, ExitCode::kOk);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, AllOf(HasSubstr("Examples:\n"), HasSubstr("pontoonctl")));
    EXPECT_THAT(result.out, HasSubstr(command.back()));
  }
}

TEST(CommandLine, HelpNamesCommandsFlagsAndExitCodes) {
  const Result result = RunPontoonctl({"--help"});
  EXPECT_EQ(result.code, ExitCode::kOk);
  for (const char* text : {"--endpoints", "PONTOONCTL_ENDPOINTS", "--timeout",
                           "Exit codes:", "import", "bench", "outcome unknown"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
}

TEST(CommandLine, TellsItsVersion) {
  const Result result = RunPontoonctl({"--version"});
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_THAT(result.out, StartsWith("pontoonctl "));
}

// Nobody listens at port 1 of the loopback interface.
constexpr char kNobody[] = "127.0.0.1:1";

TEST(CommandLine, WithoutAServerSaysWhichEndpointAndWhatToCheck) {
  const Result result =
      RunPontoonctl({"--endpoints", kNobody, "--timeout", "100ms", "put", "k", "v"});
  EXPECT_EQ(result.code, ExitCode::kFailed) << "it was surely not applied";
  EXPECT_EQ(result.err,
            "pontoonctl: put: cannot connect to 127.0.0.1:1 (Connection refused): is a server "
            "running and listening there, and is --endpoints right? (UNAVAILABLE)\n");
}

TEST(CommandLine, GlobalFlagsMayFollowTheCommand) {
  const Result result = RunPontoonctl({"get", "k", "--timeout=100ms", "--endpoints", kNobody});
  EXPECT_EQ(result.code, ExitCode::kFailed);
  EXPECT_THAT(result.err, HasSubstr("get: cannot connect to 127.0.0.1:1"));
}

TEST(CommandLine, EndpointsMayComeFromTheEnvironment) {
  setenv("PONTOONCTL_ENDPOINTS", "127.0.0.1:2", 1);
  EXPECT_THAT(RunPontoonctl({"get", "k", "--timeout=100ms"}).err, HasSubstr("127.0.0.1:2 "));
  EXPECT_THAT(RunPontoonctl({"get", "k", "--timeout=100ms", "--endpoints", kNobody}).err,
              HasSubstr("127.0.0.1:1 "));
  setenv("PONTOONCTL_ENDPOINTS", "bad", 1);
  EXPECT_EQ(RunPontoonctl({"get", "k"}).code, ExitCode::kUsage);
  unsetenv("PONTOONCTL_ENDPOINTS");
}

TEST(CommandLine, AKeyMayBeNamedLikeACommand) {
  EXPECT_EQ(RunPontoonctl({"put", "get", "del", "--timeout=50ms", "--endpoints", kNobody}).code,
            ExitCode::kFailed);
}

// What follows "--" is a command for a watch, and arguments for others, whatever a flag's value is
// called.
TEST(CommandLine, WordsAfterTheMarkAreOfTheCommand) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"watch", "k", "--timeout=50ms", "--endpoints", kNobody, "--", "sh", "-c", "--x", "y"},
           {"--endpoints", kNobody, "--timeout", "50ms", "put", "watch", "--", "--value"}}) {
    const Result result = RunPontoonctl(arguments);
    EXPECT_EQ(result.code, ExitCode::kFailed);
    EXPECT_THAT(result.err, HasSubstr(": cannot connect to 127.0.0.1:1 "));
  }
}

TEST(CommandLine, ATransactionThatMakesNoSenseIsNotSent) {
  const Result typed = RunPontoonctl({"txn"}, "mod(k) = 0\n\nfrobnicate\n");
  EXPECT_EQ(typed.code, ExitCode::kUsage);
  EXPECT_EQ(typed.err,
            "compares:\nsuccess requests (get, put, del):\n"
            "pontoonctl: txn: line 3: unknown request \"frobnicate\": use get, put or del\n");
  const Result piped = RunPontoonctl({"txn", "--file", "-"}, "nonsense\n");
  EXPECT_EQ(piped.code, ExitCode::kUsage);
  EXPECT_THAT(piped.err, StartsWith("pontoonctl: txn: line 1: not a comparison"));
  EXPECT_THAT(RunPontoonctl({"txn", "--file", "/nowhere"}).err, HasSubstr("cannot open /nowhere"));
  const Result torn =
      RunPontoonctl({"txn", "--file", "-", "--consistency", "lease"}, "\nget a --serializable\n");
  EXPECT_EQ(torn.code, ExitCode::kUsage);
  EXPECT_THAT(torn.err, HasSubstr("txn: --serializable is --consistency follower, and not lease"));
}

TEST(CommandLine, StatusAndHealthShowWhoDoesNotAnswer) {
  const Result status = RunPontoonctl({"--endpoints", kNobody, "--timeout=1s", "status"});
  EXPECT_EQ(status.code, ExitCode::kFailed);
  EXPECT_THAT(status.out, AllOf(HasSubstr("unreachable"), HasSubstr("Connection refused")));
  EXPECT_THAT(status.err, HasSubstr("1 of 1 unreachable; no leader"));
  const Result health = RunPontoonctl({"--endpoints", kNobody, "--timeout=1s", "health"});
  EXPECT_EQ(health.code, ExitCode::kFailed);
  EXPECT_THAT(health.out, AllOf(HasSubstr("unhealthy"), HasSubstr("Connection refused")));
}

}  // namespace
}  // namespace pontoon::ctl
