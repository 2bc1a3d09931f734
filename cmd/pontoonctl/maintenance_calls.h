// Calls of maintenance that several commands make.

#ifndef PONTOON_CMD_PONTOONCTL_MAINTENANCE_CALLS_H_
#define PONTOON_CMD_PONTOONCTL_MAINTENANCE_CALLS_H_

#include <cstdint>

#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/outcome.h"
#include "cmd/pontoonctl/session.h"

namespace pontoon::ctl {

struct Compaction {
  int64_t revision = 0;   // the first that is kept
  bool physical = false;  // wait until the others are off the disk
};
Reply Compact(Session& session, const Environment& environment, const Compaction& compaction);

// Has one endpoint give unused space back to its file system.
Reply Defragment(const Endpoint& endpoint, const Environment& environment);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_MAINTENANCE_CALLS_H_
