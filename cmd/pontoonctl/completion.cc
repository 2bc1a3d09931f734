#include "cmd/pontoonctl/completion.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace pontoon::ctl {
namespace {

// PLACE is the command that the words before the present one lead to: "", "member", "member add".
// Only what bash and zsh's emulation of it have in common.
constexpr absl::string_view kScript = R"script(# Completes the commands and flags of PROGRAM.

# What may follow: _PROGRAM_commands PLACE, _PROGRAM_flags PLACE.
_PROGRAM_commands() {
  case "$1" in
COMMANDS  esac
}

_PROGRAM_flags() {
  case "$1" in
FLAGS  esac
}

_PROGRAM() {
  local word place='' present="${COMP_WORDS[COMP_CWORD]}" i=1
  while [ "$i" -lt "$COMP_CWORD" ]; do
    word="${COMP_WORDS[i]}"
    case "$word" in
      --) return ;;  # a command of the user's, or arguments
      VALUED) i=$((i + 1)) ;;  # over its value
      -*) ;;
      *)
        case " $(_PROGRAM_commands "$place") " in
          *" $word "*) place="${place:+$place }$word" ;;
        esac ;;
    esac
    i=$((i + 1))
  done
  case "$present" in
    -*) COMPREPLY=($(compgen -W "$(_PROGRAM_flags "$place")" -- "$present")) ;;
    *) COMPREPLY=($(compgen -W "$(_PROGRAM_commands "$place")" -- "$present")) ;;
  esac
}

complete -o default -F _PROGRAM PROGRAM
)script";

// One arm of a case: "    'member') echo 'list add' ;;".
std::string Arm(const std::string& place, const std::string& words) {
  return absl::StrCat("    '", place, "') echo '", words, "' ;;\n");
}

// The arms for `command` at `place` and for all below it, which know the flags `known`.
void AddArms(const CommandTree& command, const std::string& place, std::vector<std::string> known,
             std::string* commands, std::string* flags) {
  for (const CommandTree::Flag& flag : command.flags) {
    if (std::find(known.begin(), known.end(), flag.name) == known.end()) {
      known.push_back(flag.name);
    }
  }
  absl::StrAppend(flags, Arm(place, absl::StrJoin(known, " ")));
  if (command.commands.empty()) return;
  absl::StrAppend(commands, Arm(place, absl::StrJoin(command.commands, " ",
                                                     [](std::string* out, const CommandTree& c) {
                                                       out->append(c.name);
                                                     })));
  for (const CommandTree& below : command.commands) {
    AddArms(below, place.empty() ? below.name : absl::StrCat(place, " ", below.name), known,
            commands, flags);
  }
}

void AddValued(const CommandTree& command, std::set<std::string>* flags) {
  for (const CommandTree::Flag& flag : command.flags) {
    if (flag.takes_value) flags->insert(flag.name);
  }
  for (const CommandTree& below : command.commands) AddValued(below, flags);
}

}  // namespace

std::string BashCompletion(const CommandTree& program) {
  std::string commands, flags;
  AddArms(program, "", {}, &commands, &flags);
  std::set<std::string> valued;
  AddValued(program, &valued);
  return absl::StrReplaceAll(kScript, {{"PROGRAM", program.name},
                                       {"COMMANDS", commands},
                                       {"FLAGS", flags},
                                       {"VALUED", absl::StrJoin(valued, " | ")}});
}

std::string ZshCompletion(const CommandTree& program) {
  return absl::StrCat("autoload -U +X compinit && compinit\n",
                      "autoload -U +X bashcompinit && bashcompinit\n", BashCompletion(program));
}

}  // namespace pontoon::ctl
