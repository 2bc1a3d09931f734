// The processor time that other processes have used, from Linux's /proc.

#ifndef PONTOON_CMD_PONTOONCTL_PROCESS_CPU_H_
#define PONTOON_CMD_PONTOONCTL_PROCESS_CPU_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pontoon::ctl {

// User and system time of the process, all threads since its start. Its resolution is that of the
// kernel's clock ticks, 10 ms.
absl::StatusOr<absl::Duration> ProcessCpuTime(pid_t pid);

// The same from the text of /proc/PID/stat. `ticks_per_second` as of sysconf(_SC_CLK_TCK).
absl::StatusOr<absl::Duration> ParseProcStat(absl::string_view stat, long ticks_per_second);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_PROCESS_CPU_H_
