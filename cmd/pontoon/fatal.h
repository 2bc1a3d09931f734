// The end of a process that must not go on.

#ifndef PONTOON_CMD_PONTOON_FATAL_H_
#define PONTOON_CMD_PONTOON_FATAL_H_

#include "absl/strings/string_view.h"

namespace pontoon {

// Logs `error` and ends the process at once, with exit code 1. For a disk or a state machine that
// has failed: what the disk holds is unknown then, so nothing may be written and no promise given
// any more; no destructor runs, and no peer or client gets an answer.
//
// Thread safety: may be called from any thread.
[[noreturn]] void DieOfFailedDisk(absl::string_view error);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_FATAL_H_
