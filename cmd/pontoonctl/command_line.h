// The command line of pontoonctl: global flags, sub-commands, help, and exit codes.

#ifndef PONTOON_CMD_PONTOONCTL_COMMAND_LINE_H_
#define PONTOON_CMD_PONTOONCTL_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/ending.h"

namespace pontoon::ctl {

// Runs pontoonctl with `arguments`, without the program's name. A failure is told to terminal.err
// in one line.
ExitCode RunCommandLine(const std::vector<std::string>& arguments, const Terminal& terminal);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_COMMAND_LINE_H_
