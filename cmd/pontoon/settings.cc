#include "cmd/pontoon/settings.h"

#include <CLI/CLI.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cmd/pontoon/yaml_file.h"
#include "kv/service/version.h"

namespace pontoon {
namespace {

constexpr char kMember[] = "This member";
constexpr char kCluster[] = "The cluster, when it is made or joined";
constexpr char kTiming[] = "Timing";
constexpr char kLimits[] = "Limits";
constexpr char kMonitoring[] = "Monitoring";
constexpr char kLogging[] = "Logging";
constexpr char kOther[] = "Other";

constexpr char kConfigFile[] = "config-file";

constexpr absl::string_view kOwnPrefix = "PONTOON_";
constexpr absl::string_view kEtcdPrefix = "ETCD_";

// The names and meanings are etcd's, but for the lease and the priority of the leader.
constexpr Flag kFlags[] = {
    {"name", kMember, "NAME", "default", "name of this member, unique in the cluster"},
    {"data-dir", kMember, "DIR", "${name}.pontoon", "folder that holds all of this member's data"},
    {"rebuild-from-peers", kMember, "", "false",
     "for one start: discards this member's state, which is made again from its log and from the "
     "other members; for a member that was found corrupt"},
    {"listen-client-urls", kMember, "URLS", "http://localhost:2379",
     "addresses to listen on for clients, separated by commas"},
    {"advertise-client-urls", kMember, "URLS", "http://localhost:2379",
     "addresses under which clients reach this member; needed with --listen-client-urls"},
    {"listen-peer-urls", kMember, "URLS", "http://localhost:2380",
     "addresses to listen on for the other members, separated by commas"},
    {"enable-reflection", kMember, "", "false",
     "tells clients on request what services and messages there are, for tools such as grpcurl"},
    {"initial-advertise-peer-urls", kCluster, "URL", "http://localhost:2380",
     "address under which the other members reach this one"},
    {"initial-cluster", kCluster, "NAME=URL,...", "${name}=${initial-advertise-peer-urls}",
     "every member of the cluster with its peer address; the same on all members of a new one, and "
     "as \"pontoonctl member add\" prints it to join one"},
    {"initial-cluster-state", kCluster, "new|existing", "new",
     "\"new\" makes the cluster; \"existing\" joins one, to which this member was added before"},
    {"initial-cluster-token", kCluster, "TEXT", "pontoon-cluster",
     "keeps apart clusters that are made with the same names and addresses"},
    {"heartbeat-interval", kTiming, "MS", "100", "time between heartbeats of the leader, in ms"},
    {"election-timeout", kTiming, "MS", "1000",
     "silence after which a new leader is elected, in ms; at least 5 heartbeats"},
    {"leader-lease", kTiming, "MS", "3 heartbeats",
     "time for which a leader that was just confirmed may count on the votes of the others, in ms; "
     "0 for none; the same on all members"},
    {"leader-priority", kTiming, "N", "0",
     "preference for this member as leader: a leader hands over to a member of a higher number "
     "that "
     "keeps up"},
    {"max-clock-error", kTiming, "PPM", "1000",
     "how far the rate of any member's clock may be off, in millionths; the same on all members"},
    {"max-request-bytes", kLimits, "BYTES", "1572864", "largest request that a client may send"},
    {"max-txn-ops", kLimits, "N", "128", "most operations in one list of a transaction"},
    {"max-concurrent-streams", kLimits, "N", "1024", "most calls at once on one connection"},
    {"max-learners", kLimits, "N", "1",
     "most members at once without a vote that clients of this member may add as such"},
    {"watch-progress-notify-interval", kTiming, "DURATION", "10m",
     "time without events after which watchers that want it are told how far they are (\"90s\")"},
    {"max-range-bytes", kLimits, "BYTES", "268435456",
     "memory that the result of one Range may take; larger ones are read in parts, or by "
     "RangeStream"},
    {"quota-backend-bytes", kLimits, "BYTES", "2147483648",
     "size of the store from which on what needs space is refused; 0 for the default, a negative "
     "number for none"},
    {"auto-compaction-mode", kLimits, "periodic|revision", "periodic",
     "what --auto-compaction-retention counts: time, or revisions"},
    {"auto-compaction-retention", kLimits, "TEXT", "0",
     "old revisions that are kept, older ones are compacted: \"72h\", \"30m\", a number of hours, "
     "or a number of revisions; 0 keeps all"},
    {"snapshot-count", kLimits, "N", "100000",
     "after so many entries, or 64 MiB, what is applied and no longer needed is cut off the log"},
    {"snapshot-catchup-entries", kLimits, "N", "10000",
     "applied entries that stay in the log for members that were away for a short while"},
    {"log-retention-bytes", kLimits, "BYTES", "536870912",
     "until the log is as large as this it keeps what a slow member still lacks"},
    {"snapshot-send-rate", kLimits, "BYTES", "16777216",
     "bytes of snapshots that this member sends in a second, to all together; at least 1048576"},
    {"listen-metrics-urls", kMonitoring, "URLS", "http://localhost:2381",
     "addresses that serve /metrics, /health, /livez, /readyz and /version over HTTP; \"none\" for "
     "none"},
    {"metrics-compat", kMonitoring, "none|etcd", "none",
     "\"etcd\" shows what etcd has under its names too, for its dashboards and alerts"},
    {"log-level", kLogging, "LEVEL", "info", "debug, info, warn or error"},
    {"log-format", kLogging, "FORMAT", "console", "console or json"},
    {kConfigFile, kOther, "FILE", "", "YAML file with these names as keys"},
};

constexpr char kFooter[] =
    "Every flag may also be given as an environment variable (PONTOON_LISTEN_CLIENT_URLS, or "
    "etcd's\n"
    "ETCD_LISTEN_CLIENT_URLS) or as a key of the config file (listen-client-urls: ...). A flag "
    "wins\n"
    "over PONTOON_*, PONTOON_* over ETCD_*, and both over the file.";

std::string VersionText() {
  return absl::StrCat("pontoon ", kv::kPontoonVersion, "\netcd API ", kv::kEtcdApiVersion, "\n");
}

// Prints the flags by group, two lines for each.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool /*is_positional*/) const override {
    std::string head = option->get_name();
    if (!option->get_type_name().empty()) absl::StrAppend(&head, " ", option->get_type_name());
    std::string text = absl::StrCat("  ", head, "\n        ", option->get_description());
    const std::string& fallback = option->get_default_str();
    if (!fallback.empty()) absl::StrAppend(&text, " (default ", fallback, ")");
    return text + "\n";
  }
};

std::string ToVariable(absl::string_view prefix, absl::string_view flag) {
  return absl::StrCat(prefix, absl::AsciiStrToUpper(absl::StrReplaceAll(flag, {{"-", "_"}})));
}

const Flag* FindFlag(absl::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

// One line for what CLI11 refused.
absl::Status CommandLineError(const CLI::App& app, const CLI::ParseError& error) {
  constexpr absl::string_view kSeeHelp = "; see pontoon --help";
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    const std::string first = app.remaining().empty() ? "" : app.remaining().front();
    const absl::string_view kind = first.rfind('-', 0) == 0 ? "unknown flag " : "unexpected word ";
    return absl::InvalidArgumentError(absl::StrCat(kind, first, kSeeHelp));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StripTrailingAsciiWhitespace(error.what()), kSeeHelp));
}

absl::StatusOr<std::variant<Settings, PrintAndExit>> ReadFlags(int argc, const char* const* argv) {
  CLI::App app("A replicated key-value store that speaks etcd's v3 API.", "pontoon");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kFooter);
  app.set_help_flag();  // it comes last, since groups are shown in the order of their first flag

  std::map<std::string, std::string> values;
  std::vector<std::pair<const Flag*, CLI::Option*>> options;
  for (const Flag& flag : kFlags) {
    const std::string name = absl::StrCat("--", flag.name);
    CLI::Option* option = *flag.value_name == '\0'
                              ? app.add_flag(name, values[flag.name], flag.help)
                              : app.add_option(name, values[flag.name], flag.help);
    option->group(flag.group)
        ->type_name(flag.value_name)
        ->default_str(flag.default_text)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    options.emplace_back(&flag, option);
  }
  bool version = false;
  app.add_flag("--version", version, "print the version and exit")->group(kOther);
  app.set_help_flag("-h,--help", "print this text and exit")->group(kOther);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return PrintAndExit{app.help()};
  } catch (const CLI::ParseError& error) {
    return CommandLineError(app, error);
  }
  if (version) return PrintAndExit{VersionText()};

  Settings settings;
  for (const auto& [flag, option] : options) {
    if (option->count() == 0) continue;
    settings[flag->name] = Setting{values[flag->name], absl::StrCat("--", flag->name)};
  }
  return settings;
}

// Whether Kubernetes sets this variable in the pods beside a service: where the service is.
bool IsServiceLink(absl::string_view variable) {
  return absl::EndsWith(variable, "_SERVICE_HOST") || absl::EndsWith(variable, "_PORT") ||
         absl::StrContains(variable, "_PORT_");
}

// Refuses variables that look like settings and are none.
absl::Status CheckVariables(const Environment& environment) {
  std::set<std::string> known;
  for (const Flag& flag : kFlags) known.insert(ToVariable(kOwnPrefix, flag.name));
  for (const auto& [variable, value] : environment) {
    if (!absl::StartsWith(variable, kOwnPrefix) || value.empty()) continue;
    if (known.count(variable) > 0 || IsServiceLink(variable)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("unknown variable ", variable, "; see pontoon --help"));
  }
  return absl::OkStatus();
}

// Adds what the environment sets and `settings` does not have yet.
absl::Status AddEnvironment(const Environment& environment, Settings& settings) {
  if (absl::Status s = CheckVariables(environment); !s.ok()) return s;
  for (const Flag& flag : kFlags) {
    for (const absl::string_view prefix : {kOwnPrefix, kEtcdPrefix}) {
      const std::string variable = ToVariable(prefix, flag.name);
      const auto found = environment.find(variable);
      // As in etcd, an empty variable is one that is not set.
      if (found == environment.end() || found->second.empty()) continue;
      settings.try_emplace(flag.name, Setting{found->second, variable});
    }
  }
  return absl::OkStatus();
}

// Adds what the file at `path` sets and `settings` does not have yet.
absl::Status AddFile(const std::string& path, Settings& settings) {
  const absl::StatusOr<std::vector<YamlEntry>> entries = ReadYamlFile(path);
  if (!entries.ok()) return entries.status();
  for (const YamlEntry& entry : *entries) {
    const std::string place = absl::StrCat(path, ":", entry.line);
    if (FindFlag(entry.key) == nullptr || entry.key == kConfigFile) {
      return absl::InvalidArgumentError(
          absl::StrCat(place, ": unknown setting \"", entry.key, "\"; see pontoon --help"));
    }
    if (entry.value.empty()) continue;
    settings.try_emplace(entry.key,
                         Setting{entry.value, absl::StrCat(entry.key, " (", place, ")")});
  }
  return absl::OkStatus();
}

}  // namespace

std::span<const Flag> Flags() { return kFlags; }

absl::StatusOr<std::variant<Settings, PrintAndExit>> ReadSettings(int argc, const char* const* argv,
                                                                  const Environment& environment) {
  absl::StatusOr<std::variant<Settings, PrintAndExit>> read = ReadFlags(argc, argv);
  if (!read.ok() || std::holds_alternative<PrintAndExit>(*read)) return read;
  Settings settings = std::get<Settings>(*std::move(read));
  if (absl::Status s = AddEnvironment(environment, settings); !s.ok()) return s;
  if (const auto file = settings.find(kConfigFile); file != settings.end()) {
    if (absl::Status s = AddFile(file->second.value, settings); !s.ok()) return s;
  }
  return settings;
}

}  // namespace pontoon
