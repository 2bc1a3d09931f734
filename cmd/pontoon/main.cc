// pontoon: the server.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/pontoon/config.h"
#include "cmd/pontoon/grpc_log.h"
#include "cmd/pontoon/process_limits.h"
#include "cmd/pontoon/server.h"
#include "cmd/pontoon/settings.h"
#include "cmd/pontoon/signals.h"
#include "raft/env/log.h"

namespace pontoon {
namespace {

std::optional<std::string> EnvironmentVariable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
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
  auto read = ReadSettings(argc, argv, EnvironmentVariable);
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
