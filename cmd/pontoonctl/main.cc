// pontoonctl: the command line tool of Pontoon, for any server that speaks etcd's v3 API.

#include <grpc/support/log.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cmd/pontoonctl/command_line.h"

namespace {

// gRPC writes its own lines to stderr about what we report in our words. Who looks into gRPC itself
// sets GRPC_VERBOSITY, and gets them.
void SilenceGrpc() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace

int main(int argc, char** argv) {
  using pontoon::ctl::Terminal;
  SilenceGrpc();
  std::ios::sync_with_stdio(false);
  const Terminal terminal{
      std::cin, std::cout, std::cerr,
      isatty(STDERR_FILENO) ? Terminal::Progress::kBar : Terminal::Progress::kLines,
      isatty(STDOUT_FILENO) == 1};
  return static_cast<int>(
      pontoon::ctl::RunCommandLine(std::vector<std::string>(argv + 1, argv + argc), terminal));
}
