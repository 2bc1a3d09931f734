#include "cmd/pontoonctl/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cmd/pontoonctl/flag_values.h"
#include "kv/service/version.h"

namespace pontoon::ctl {
namespace {

constexpr char kSummary[] = "Reads, writes, watches over and measures a Pontoon cluster.";

constexpr char kHelp[] = R"(
The flags above may stand before or after the command. An argument that looks
like a flag goes after "--":  pontoonctl put options -- --verbose

Exit codes:
  0  it is done
  1  the request failed, or what was asked about is not healthy; a write was
     certainly not applied
  2  bad usage: nothing was sent
  3  it ran to its end, but not all came out as asked: files of an import or
     export or operations of a benchmark failed, or the comparisons of a
     transaction did not hold
  4  outcome unknown: a write was sent and no answer came; it may or may not
     have been applied
  5  the lease of a lock or of an election was lost while it was held
"lock" and "elect" with a command after "--" end with the code of that command.

Examples:
  pontoonctl --endpoints 10.0.0.1:2379,10.0.0.2:2379 status
  pontoonctl put greeting hello
  PONTOONCTL_ENDPOINTS=10.0.0.1:2379 pontoonctl get greeting
)";

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(NewPutCommand());
  commands.push_back(NewGetCommand());
  commands.push_back(NewDelCommand());
  commands.push_back(NewTxnCommand());
  commands.push_back(NewWatchCommand());
  commands.push_back(NewCompactCommand());
  commands.push_back(NewLeaseGrantCommand());
  commands.push_back(NewLeaseRevokeCommand());
  commands.push_back(NewLeaseTimeToLiveCommand());
  commands.push_back(NewLeaseListCommand());
  commands.push_back(NewLeaseKeepAliveCommand());
  commands.push_back(NewLockCommand());
  commands.push_back(NewElectCommand());
  commands.push_back(NewStatusCommand());
  commands.push_back(NewTopCommand());
  commands.push_back(NewLagCommand());
  commands.push_back(NewHealthCommand());
  commands.push_back(NewCheckHealthCommand());
  commands.push_back(NewCheckPerfCommand());
  commands.push_back(NewCheckDatascaleCommand());
  commands.push_back(NewMemberListCommand());
  commands.push_back(NewMemberAddCommand());
  commands.push_back(NewMemberRemoveCommand());
  commands.push_back(NewMemberUpdateCommand());
  commands.push_back(NewMemberPromoteCommand());
  commands.push_back(NewMoveLeaderCommand());
  commands.push_back(NewAlarmListCommand());
  commands.push_back(NewAlarmDisarmCommand());
  commands.push_back(NewDefragCommand());
  commands.push_back(NewHashCommand());
  commands.push_back(NewSnapshotSaveCommand());
  commands.push_back(NewSnapshotStatusCommand());
  commands.push_back(NewSnapshotRestoreCommand());
  commands.push_back(NewImportCommand());
  commands.push_back(NewExportCommand());
  commands.push_back(NewMirrorCommand());
  commands.push_back(NewBenchPutCommand());
  commands.push_back(NewBenchGetCommand());
  commands.push_back(NewCompletionCommand());
  return commands;
}

// What the commands have in common whose names begin with the same word.
const std::map<std::string, std::string>& GroupSummaries() {
  static const auto* const summaries = new std::map<std::string, std::string>{
      {"lease", "Leases: what a key is attached to, so that it goes when its owner does"},
      {"member", "The members of the cluster: lists them, and changes who they are"},
      {"check", "Looks whether all is in order"},
      {"alarm", "What is so wrong with a member that the cluster refuses writes"},
      {"snapshot", "A member's whole database in a file"},
      {"bench", "Measures how fast the servers answer, and what it costs them"},
  };
  return *summaries;
}

// The whole command line, as CLI11 parses it.
class Parser {
 public:
  Parser() : app_(kSummary, "pontoonctl") {
    app_.option_defaults()->always_capture_default();
    app_.require_subcommand(1);
    app_.set_version_flag("--version", absl::StrCat("pontoonctl ", kv::kPontoonVersion));
    app_.footer(kHelp);
    app_.add_option("--endpoints", endpoints_,
                    "Servers: host:port or http://host:port, with commas")
        ->envname("PONTOONCTL_ENDPOINTS");
    app_.add_option("--output", output_, "table, json or plain; each command has its own default")
        ->check(CLI::IsMember({"table", "json", "plain"}));
    AddDurationFlag(app_, "--timeout", timeout_,
                    "How long a command, or each request of a long job, may take");
    for (auto& command : AllCommands()) Add(std::move(command));
  }

  // The command that was asked for. Throws CLI::Error on bad usage, and for --help and --version.
  Command& Parse(std::vector<std::string> arguments) {
    const auto mark = std::find(arguments.begin(), arguments.end(), "--");
    if (mark != arguments.end()) {
      const auto named = commands_.find(NamedBy({arguments.begin(), mark}));
      std::vector<std::string>* const command_to_run =
          named == commands_.end() ? nullptr : named->second->CommandToRun();
      if (command_to_run != nullptr) {
        command_to_run->assign(mark + 1, arguments.end());
        arguments.erase(mark, arguments.end());
      }
    }
    // This parse takes the words from the end.
    std::reverse(arguments.begin(), arguments.end());
    app_.parse(std::move(arguments));
    return *chosen_;
  }

  // Prints the help that `error` asks for; false if it is a real error.
  bool PrintIfHelp(const CLI::ParseError& error, std::ostream& out) {
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success)) return false;
    app_.exit(error, out, out);
    return true;
  }

  // CLI11 says only that a command is missing where the word is there but means nothing.
  std::string Explain(const CLI::ParseError& error) const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    const std::string help = absl::StrCat("; see ", FullName(*app), " --help");
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && IsGroup(*app)) {
      const std::vector<std::string> rest = app_.remaining(/*recurse=*/true);
      if (rest.empty()) return absl::StrCat("a command is missing", help);
      return absl::StrCat("unknown command or flag \"", rest.front(), "\"", help);
    }
    return absl::StrCat(error.what(), help);
  }

  absl::StatusOr<std::vector<Endpoint>> Endpoints() const { return ParseEndpoints(endpoints_); }
  absl::Duration timeout() const { return timeout_; }
  CommandTree commands() const { return TreeOf(app_); }

  std::optional<OutputFormat> output() const {
    if (output_ == "table") return OutputFormat::kTable;
    if (output_ == "json") return OutputFormat::kJson;
    if (output_ == "plain") return OutputFormat::kPlain;
    return std::nullopt;
  }

 private:
  static bool IsGroup(const CLI::App& app) { return app.get_require_subcommand_min() > 0; }

  static bool TakesValue(const CLI::Option& flag) { return flag.get_expected_min() > 0; }

  static CommandTree TreeOf(const CLI::App& app) {
    CommandTree tree{.name = app.get_name()};
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        tree.flags.push_back({absl::StrCat("--", name), TakesValue(*option)});
      }
    }
    for (const CLI::App* command : app.get_subcommands({})) {
      tree.commands.push_back(TreeOf(*command));
    }
    return tree;
  }

  static std::string FullName(const CLI::App& app) {
    if (app.get_parent() == nullptr) return app.get_name();
    return absl::StrCat(FullName(*app.get_parent()), " ", app.get_name());
  }

  // The command that `words` call, as far as they do.
  const CLI::App* NamedBy(const std::vector<std::string>& words) const {
    const CLI::App* app = &app_;
    for (size_t i = 0; i < words.size(); ++i) {
      if (absl::StartsWith(words[i], "-")) {
        const CLI::Option* const flag = app_.get_option_no_throw(words[i]);
        if (flag != nullptr && TakesValue(*flag)) ++i;  // over its value
      } else {
        const auto& commands = app->get_subcommands(
            [&](const CLI::App* command) { return command->get_name() == words[i]; });
        if (commands.empty()) return app;
        app = commands.front();
      }
    }
    return app;
  }

  // Where a command of this name is declared: "member list" below "member".
  CLI::App* ParentOf(const std::vector<std::string>& words) {
    if (words.size() == 1) return &app_;
    CLI::App*& group = groups_[words.front()];
    if (group == nullptr) {
      group = app_.add_subcommand(words.front(), GroupSummaries().at(words.front()));
      group->fallthrough();
      group->require_subcommand(1);
    }
    return group;
  }

  void Add(std::unique_ptr<Command> command) {
    const Command::Description description = command->Describe();
    const std::vector<std::string> words = absl::StrSplit(description.name, ' ');
    CLI::App* app = ParentOf(words)->add_subcommand(words.back(), description.summary);
    app->fallthrough();
    app->footer(absl::StrCat("\n", description.help, "\nGlobal flags: see pontoonctl --help\n"));
    command->DeclareFlags(*app);
    app->final_callback([this, chosen = command.get()] { chosen_ = chosen; });
    commands_[app] = std::move(command);
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> groups_;  // owned by app_
  std::map<const CLI::App*, std::unique_ptr<Command>> commands_;
  Command* chosen_ = nullptr;
  std::string endpoints_ = "127.0.0.1:2379";
  std::string output_;
  absl::Duration timeout_ = absl::Seconds(5);
};

ExitCode Report(const std::string& command, const Ending& ending, const Terminal& terminal) {
  if (!ending.message.empty()) {
    const std::string prefix = command.empty() ? "" : absl::StrCat(command, ": ");
    terminal.err << "pontoonctl: " << prefix << ending.message << '\n';
  }
  return ending.code;
}

}  // namespace

ExitCode RunCommandLine(const std::vector<std::string>& arguments, const Terminal& terminal) {
  Parser parser;
  Command* command = nullptr;
  try {
    command = &parser.Parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (parser.PrintIfHelp(error, terminal.out)) return ExitCode::kOk;
    return Report("", UsageError(parser.Explain(error)), terminal);
  }
  absl::StatusOr<std::vector<Endpoint>> endpoints = parser.Endpoints();
  if (!endpoints.ok()) {
    return Report("", UsageError(std::string(endpoints.status().message())), terminal);
  }
  const Environment environment{*std::move(endpoints), parser.timeout(), parser.output(), terminal,
                                parser.commands()};
  const std::string name = command->Describe().name;
  Ending ending = command->Run(environment);
  if (!terminal.out.flush() && ending.code == ExitCode::kOk) {
    ending = {ExitCode::kFailed, "cannot write the output"};
  }
  return Report(name, ending, terminal);
}

}  // namespace pontoon::ctl
