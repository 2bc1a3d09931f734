// Completion: has a shell complete commands and flags.

#ifndef PONTOON_CMD_PONTOONCTL_COMPLETION_H_
#define PONTOON_CMD_PONTOONCTL_COMPLETION_H_

#include <string>

#include "cmd/pontoonctl/command_tree.h"

namespace pontoon::ctl {

// A script for bash to read that completes `program` and all below it. Keys and values are
// completed like files, as bash does by itself.
std::string BashCompletion(const CommandTree& program);

// The same for zsh, which runs bash's by its own bashcompinit.
std::string ZshCompletion(const CommandTree& program);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_COMPLETION_H_
