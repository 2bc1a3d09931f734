// Settings: what the operator set, as text, before it is understood.
//
// A value may come from a flag, from the environment or from the file that --config-file names; a
// flag wins over the environment, and the environment over the file. (etcd ignores all flags once a
// file is given. Here the nearer source wins, so that one file can serve several members.)

#ifndef PONTOON_CMD_PONTOON_SETTINGS_H_
#define PONTOON_CMD_PONTOON_SETTINGS_H_

#include <map>
#include <span>
#include <string>
#include <variant>

#include "absl/status/statusor.h"

namespace pontoon {

// A flag of the server; the table of all of them is Flags().
struct Flag {
  const char* name;  // without dashes; also the key in a config file
  const char* group;
  const char* value_name;  // what help calls the value; empty: it needs none, and means "true"
  const char* default_text;
  const char* help;
};

std::span<const Flag> Flags();

struct Setting {
  std::string value;
  std::string origin;  // where it was set, in words: "--name", "PONTOON_NAME", "name (a.yaml:3)"
};

// By the flag's name; only what was set, and not to nothing.
using Settings = std::map<std::string, Setting>;

// The command line asked for a text (--help, --version) instead of a server.
struct PrintAndExit {
  std::string text;
};

// The variables of the process, by name.
using Environment = std::map<std::string, std::string>;

// Reads the flags of `argv`, then PONTOON_* and ETCD_* variables, then the config file if one is
// named. An error is one line for the operator. A variable PONTOON_* that sets nothing is one,
// since it is most likely misspelt; not so ETCD_*, which may be meant for others, and what
// Kubernetes sets for a service that is called "pontoon".
absl::StatusOr<std::variant<Settings, PrintAndExit>> ReadSettings(int argc, const char* const* argv,
                                                                  const Environment& environment);

}  // namespace pontoon

#endif  // PONTOON_CMD_PONTOON_SETTINGS_H_
