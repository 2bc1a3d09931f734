// ShortDuration: a duration for people to read at a glance.

#ifndef PONTOON_CMD_PONTOONCTL_SHORT_DURATION_H_
#define PONTOON_CMD_PONTOONCTL_SHORT_DURATION_H_

#include <string>

#include "absl/time/time.h"

namespace pontoon::ctl {

// "0.25 ms", "120 ms", "7.2 s".
std::string ShortDuration(absl::Duration duration);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_SHORT_DURATION_H_
