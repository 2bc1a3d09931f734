// How a command of pontoonctl ends: what its exit code says, and the one line for stderr.

#ifndef PONTOON_CMD_PONTOONCTL_ENDING_H_
#define PONTOON_CMD_PONTOONCTL_ENDING_H_

#include <string>
#include <utility>

namespace pontoon::ctl {

// Scripts rely on these numbers; `pontoonctl --help` lists them.
enum class ExitCode {
  kOk = 0,
  // The request failed, or what was asked about is not healthy. A write was certainly not applied.
  kFailed = 1,
  // The command line, or the text of a transaction, makes no sense. Nothing was sent.
  kUsage = 2,
  // It ran to its end, but not all came out as asked: files of an import or export failed,
  // operations of a benchmark failed, or the comparisons of a transaction did not hold.
  kPartial = 3,
  // A write was sent and no answer came: it may or may not have been applied.
  kOutcomeUnknown = 4,
  // The lease of a lock or of an election was lost while it was held.
  kLeaseLost = 5,
};

// A command that runs another one for the user ends as that one does: with any code from 0 to 255.
inline ExitCode ExitCodeOfCommand(int code) { return static_cast<ExitCode>(code); }

// `message` is printed after "pontoonctl: <command>: "; empty: nothing is printed.
struct Ending {
  ExitCode code = ExitCode::kOk;
  std::string message = {};
};

inline Ending UsageError(std::string message) { return {ExitCode::kUsage, std::move(message)}; }

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_ENDING_H_
