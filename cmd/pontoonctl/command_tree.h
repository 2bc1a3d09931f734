// CommandTree: a command with its flags and the commands below it, as a value.

#ifndef PONTOON_CMD_PONTOONCTL_COMMAND_TREE_H_
#define PONTOON_CMD_PONTOONCTL_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace pontoon::ctl {

struct CommandTree {
  struct Flag {
    std::string name;  // with its hyphens
    bool takes_value = false;
  };

  std::string name;
  std::vector<Flag> flags = {};  // without those of the command above it, which it knows as well
  std::vector<CommandTree> commands = {};
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_COMMAND_TREE_H_
