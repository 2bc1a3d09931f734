// Flags with values that CLI11 does not know by itself.

#ifndef PONTOON_CMD_PONTOONCTL_FLAG_VALUES_H_
#define PONTOON_CMD_PONTOONCTL_FLAG_VALUES_H_

#include <string>

#include "absl/time/time.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pontoon::ctl {

// Declares a flag for a time above zero, such as 500ms, 5s or 1m30s. `value` holds the default, and
// must outlive the parsing.
CLI::Option* AddDurationFlag(CLI::App& app, const std::string& name, absl::Duration& value,
                             const std::string& help);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_FLAG_VALUES_H_
