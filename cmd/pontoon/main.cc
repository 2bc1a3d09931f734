// pontoon: the server.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/grpc_log.h"
#include "cmd/pontoon/process_limits.h"
#include "cmd/pontoon/server.h"
#include "cmd/pontoon/settings.h"
#include "cmd/pontoon/signals.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

Environment ProcessEnvironment() {
  Environment variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::pair<std::string, std::string> variable =
        absl::StrSplit(*entry, absl::MaxSplits('=', 1));
    variables.insert(variable);
  }
  return variables;
}

int Misused(const absl::Status& error) {
  std::fprintf(stderr, "pontoon: %s\n", std::string(error.message()).c_str());
  return EXIT_FAILURE;
}

int Serve(const Config& config) {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(config);
  if (!server.ok()) {
    LogError("cannot start", {{"reason", std::string(server.status().message())}});
    return EXIT_FAILURE;
  }
  LogInfo("stopping", {{"reason", AwaitStop()}});
  (*server)->Stop();
  server->reset();
  LogInfo("stopped");
  return EXIT_SUCCESS;
}

int Main(int argc, const char* const* argv) {
  auto read = ReadSettings(argc, argv, ProcessEnvironment());
  if (!read.ok()) return Misused(read.status());
  if (const auto* print = std::get_if<PrintAndExit>(&*read)) {
    std::fputs(print->text.c_str(), stdout);
    return EXIT_SUCCESS;
  }
  const absl::StatusOr<Config> config = MakeConfig(std::get<Settings>(*read));
  if (!config.ok()) return Misused(config.status());

  BoundMemoryArenas();
  StopDeadlockDetection();
  RaiseFileLimit();
  KeepFilesPrivate();
  WatchStopSignals();
  InitLogging(config->log);
  RedirectGrpcLog();
  const int exit_code = Serve(*config);
  ShutdownLogging();
  return exit_code;
}

}  // namespace
}  // namespace pontoon

int main(int argc, char** argv) { return pontoon::Main(argc, argv); }
