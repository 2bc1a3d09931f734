#include "cmd/pontoonctl/fence_flag.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/numbers.h"

namespace pontoon::ctl {

void FenceFlag::DeclareOn(CLI::App& app) {
  app.add_flag("--fence", wanted_,
               "Of a command that `pontoonctl lock` runs: write only while the lock is held, by "
               "$PONTOON_LOCK_KEY and $PONTOON_LOCK_TOKEN (servers of etcd heed no fence)");
}

absl::Status FenceFlag::Fill(v1::Fence* fence) {
  const char* const key = std::getenv("PONTOON_LOCK_KEY");
  const char* const token = std::getenv("PONTOON_LOCK_TOKEN");
  int64_t revision = 0;
  if (key == nullptr || *key == '\0' || token == nullptr || !absl::SimpleAtoi(token, &revision) ||
      revision <= 0) {
    return absl::InvalidArgumentError(
        "--fence is for a command that `pontoonctl lock NAME -- CMD` runs: PONTOON_LOCK_KEY and "
        "PONTOON_LOCK_TOKEN do not name a lock here");
  }
  fence->set_key(key);
  fence->set_create_revision(revision);
  return absl::OkStatus();
}

}  // namespace pontoon::ctl
