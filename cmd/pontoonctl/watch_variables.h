// What a command that is run for an event of a watch learns of it, by its environment.

#ifndef PONTOON_CMD_PONTOONCTL_WATCH_VARIABLES_H_
#define PONTOON_CMD_PONTOONCTL_WATCH_VARIABLES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "proto/kv.pb.h"

namespace pontoon::ctl {

// Longer keys and values are no variables: Linux bounds each at 128 KiB, quotes included.
inline constexpr size_t kVariableBytesMax = 32 << 10;

// PONTOON_WATCH_REVISION, _EVENT_TYPE, _KEY and _VALUE as NAME=value: the revision of the event,
// PUT or DELETE, and the bytes as they are. A key or value with a zero byte, which no variable can
// hold, is left out, as is one that is too long. Then the same as etcdctl has it, for scripts made
// for it: ETCD_WATCH_..., all but the revision in quotes as Go writes them (but every byte above
// 127 as it is).
std::vector<std::string> WatchVariables(const mvccpb::Event& event);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_WATCH_VARIABLES_H_
