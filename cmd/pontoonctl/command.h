// Command: one sub-command of pontoonctl, and what it is given to run with.

#ifndef PONTOON_CMD_PONTOONCTL_COMMAND_H_
#define PONTOON_CMD_PONTOONCTL_COMMAND_H_

#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cmd/pontoonctl/command_tree.h"
#include "cmd/pontoonctl/ending.h"
#include "cmd/pontoonctl/endpoint.h"
#include "cmd/pontoonctl/table.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pontoon::ctl {

// Where a command reads and writes: the process's own streams, or a test's.
struct Terminal {
  // How a long job shows that it goes on.
  enum class Progress { kBar, kLines };

  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Progress progress;
  bool out_is_screen = false;  // what is written to `out` can be wiped again
};

// What the global flags say, and the terminal.
struct Environment {
  std::vector<Endpoint> endpoints;
  absl::Duration timeout;
  // Not set: the command's own default.
  std::optional<OutputFormat> output;
  Terminal terminal;
  // All commands.
  CommandTree commands;
};

// A sub-command. An object is used for one run at most.
class Command {
 public:
  struct Description {
    // One or two words: "put", "member list".
    std::string name;
    // For the list of commands; no full stop.
    std::string summary;
    // What --help adds after the flags: explanations, and examples.
    std::string help;
  };

  virtual ~Command() = default;

  virtual Description Describe() const = 0;

  // Declares the flags, whose values go to this object when the command line is parsed.
  virtual void DeclareFlags(CLI::App& app) = 0;

  // Where to put the words after "--" if they are another command, for this one to run. Null: they
  // are arguments of this one.
  virtual std::vector<std::string>* CommandToRun() { return nullptr; }

  // Does it. Called after the parsing.
  virtual Ending Run(const Environment& environment) = 0;
};

std::unique_ptr<Command> NewPutCommand();
std::unique_ptr<Command> NewGetCommand();
std::unique_ptr<Command> NewDelCommand();
std::unique_ptr<Command> NewTxnCommand();
std::unique_ptr<Command> NewWatchCommand();
std::unique_ptr<Command> NewCompactCommand();
std::unique_ptr<Command> NewLeaseGrantCommand();
std::unique_ptr<Command> NewLeaseRevokeCommand();
std::unique_ptr<Command> NewLeaseTimeToLiveCommand();
std::unique_ptr<Command> NewLeaseListCommand();
std::unique_ptr<Command> NewLeaseKeepAliveCommand();
std::unique_ptr<Command> NewLockCommand();
std::unique_ptr<Command> NewElectCommand();
std::unique_ptr<Command> NewStatusCommand();
std::unique_ptr<Command> NewTopCommand();
std::unique_ptr<Command> NewLagCommand();
std::unique_ptr<Command> NewHealthCommand();
std::unique_ptr<Command> NewCheckHealthCommand();
std::unique_ptr<Command> NewCheckPerfCommand();
std::unique_ptr<Command> NewCheckDatascaleCommand();
std::unique_ptr<Command> NewMemberListCommand();
std::unique_ptr<Command> NewMemberAddCommand();
std::unique_ptr<Command> NewMemberRemoveCommand();
std::unique_ptr<Command> NewMemberUpdateCommand();
std::unique_ptr<Command> NewMemberPromoteCommand();
std::unique_ptr<Command> NewMoveLeaderCommand();
std::unique_ptr<Command> NewAlarmListCommand();
std::unique_ptr<Command> NewAlarmDisarmCommand();
std::unique_ptr<Command> NewDefragCommand();
std::unique_ptr<Command> NewHashCommand();
std::unique_ptr<Command> NewSnapshotSaveCommand();
std::unique_ptr<Command> NewSnapshotStatusCommand();
std::unique_ptr<Command> NewSnapshotRestoreCommand();
std::unique_ptr<Command> NewImportCommand();
std::unique_ptr<Command> NewExportCommand();
std::unique_ptr<Command> NewMirrorCommand();
std::unique_ptr<Command> NewCompletionCommand();
std::unique_ptr<Command> NewBenchPutCommand();
std::unique_ptr<Command> NewBenchGetCommand();

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_COMMAND_H_
