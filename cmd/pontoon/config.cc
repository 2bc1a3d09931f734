#include "cmd/pontoon/config.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "kv/maintenance/store_quota.h"
#include "raft/core/options.h"

namespace pontoon {
namespace {

// As etcd: beyond this a cluster would be without a leader for minutes.
constexpr int64_t kElectionTimeoutMsMax = 50'000;
constexpr int64_t kHeartbeatsPerElectionMin = 5;
// By default: one lost heartbeat does not cost the lease, and a dead leader does not hold up the
// next one for long.
constexpr int64_t kHeartbeatsPerLease = 3;
constexpr int64_t kLeaderPriorityMax = 1'000'000;
constexpr int64_t kClockErrorPpmMax = 100'000;
// What the replica takes as one command (RaftNode::kCommandBytesMax).
constexpr int64_t kRequestBytesMax = 32 << 20;
constexpr int64_t kTxnOpsMax = 1 << 16;
constexpr int64_t kConcurrentStreamsMax = 1 << 20;
constexpr int64_t kLearnersMax = 1000;
// Part of a folder's name, and of every log line that speaks of the member.
constexpr size_t kNameBytesMax = 128;

// Takes the settings apart, and builds the messages of errors.
class Reader {
 public:
  explicit Reader(const Settings& settings) : settings_(settings) {}

  bool IsSet(const std::string& flag) const { return settings_.count(flag) > 0; }

  std::string Text(const std::string& flag, const std::string& fallback) const {
    const auto found = settings_.find(flag);
    return found == settings_.end() ? fallback : found->second.value;
  }

  // Of a flag that needs no value, and is false if it is not set.
  absl::StatusOr<bool> Choice(const std::string& flag) const {
    const std::string text = Text(flag, "false");
    if (text == "true" || text == "false") return text == "true";
    return Error(flag, "must be true or false");
  }

  struct Bounds {
    int64_t least;
    int64_t most;
  };
  absl::StatusOr<int64_t> Number(const std::string& flag, int64_t fallback, Bounds bounds) const {
    const auto found = settings_.find(flag);
    if (found == settings_.end()) return fallback;
    int64_t number = 0;
    if (!absl::SimpleAtoi(found->second.value, &number) || number < bounds.least ||
        number > bounds.most) {
      return Error(flag,
                   absl::StrCat("must be a whole number from ", bounds.least, " to ", bounds.most));
    }
    return number;
  }

  struct Durations {
    absl::Duration least;
    absl::Duration most;
  };
  // As Go writes it: "10m", "1h30m".
  absl::StatusOr<absl::Duration> Time(const std::string& flag, absl::Duration fallback,
                                      Durations bounds) const {
    const auto found = settings_.find(flag);
    if (found == settings_.end()) return fallback;
    absl::Duration time;
    if (!absl::ParseDuration(found->second.value, &time) || time < bounds.least ||
        time > bounds.most) {
      return Error(flag, absl::StrCat("must be a time from ", absl::FormatDuration(bounds.least),
                                      " to ", absl::FormatDuration(bounds.most),
                                      ", written as \"90s\" or \"1h30m\""));
    }
    return time;
  }

  absl::StatusOr<std::vector<Url>> Urls(const std::string& flag, Url fallback) const {
    const auto found = settings_.find(flag);
    if (found == settings_.end()) return std::vector<Url>{std::move(fallback)};
    absl::StatusOr<std::vector<Url>> urls = ParseUrls(found->second.value);
    if (!urls.ok()) return ErrorAt(found->second.origin, urls.status().message());
    return urls;
  }

  // "--name "x": what". For a flag that is not set, its default is what is wrong.
  absl::Status Error(const std::string& flag, absl::string_view what) const {
    const auto found = settings_.find(flag);
    if (found == settings_.end()) {
      return ErrorAt(absl::StrCat("--", flag), absl::StrCat("(not set) ", what));
    }
    return ErrorAt(found->second.origin, absl::StrCat("\"", found->second.value, "\" ", what));
  }

 private:
  static absl::Status ErrorAt(absl::string_view origin, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": ", what));
  }

  const Settings& settings_;
};

// What is wrong with a member's name, or nothing.
std::optional<std::string> NameProblem(absl::string_view name) {
  if (name.empty()) return "must not be empty";
  if (name.size() > kNameBytesMax)
    return absl::StrCat("must not be longer than ", kNameBytesMax, " bytes");
  for (const char c : name) {
    if (!absl::ascii_isgraph(c) || c == '=' || c == ',' || c == '/') {
      return "must be made of visible ASCII characters without '=', ',' and '/'";
    }
  }
  return std::nullopt;
}

// An existing cluster is given as `member add` prints it: a member with several addresses comes
// several times, and one that was never started has no name.
absl::StatusOr<std::vector<ClusterEntry>> ParseCluster(absl::string_view text, ClusterState state) {
  const bool is_new = state == ClusterState::kNew;
  std::vector<ClusterEntry> cluster;
  for (absl::string_view piece : absl::StrSplit(text, ',')) {
    piece = absl::StripAsciiWhitespace(piece);
    const size_t equals = piece.find('=');
    if (equals == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("has the part \"", piece, "\", which is not of the form name=url"));
    }
    const absl::string_view name = piece.substr(0, equals);
    if (const auto problem = NameProblem(name); problem && (is_new || !name.empty())) {
      return absl::InvalidArgumentError(
          absl::StrCat("has the name \"", name, "\", which ", *problem));
    }
    const absl::StatusOr<Url> url = ParseUrl(piece.substr(equals + 1));
    if (!url.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("has a bad address for \"", name, "\": ", url.status().message()));
    }
    for (const ClusterEntry& other : cluster) {
      if (is_new && other.name == name) {
        return absl::InvalidArgumentError(absl::StrCat(
            "lists \"", name, "\" twice: give every member another name, and one address"));
      }
      if (other.peer_url == *url) {
        return absl::InvalidArgumentError(absl::StrCat("gives \"", other.name, "\" and \"", name,
                                                       "\" the same address ", url->ToString()));
      }
    }
    cluster.push_back({std::string(name), *url});
  }
  return cluster;
}

// Requires heartbeat interval and election timeout.
absl::Status ReadLease(const Reader& reader, Config& config) {
  const int64_t heartbeat = absl::ToInt64Milliseconds(config.heartbeat_interval);
  const int64_t election = absl::ToInt64Milliseconds(config.election_timeout);
  const auto error_ppm = reader.Number("max-clock-error", 1000, {0, kClockErrorPpmMax});
  if (!error_ppm.ok()) return error_ppm.status();
  config.clock_rate_error_max = static_cast<double>(*error_ppm) / 1e6;
  const auto lease =
      reader.Number("leader-lease", kHeartbeatsPerLease * heartbeat, {0, kElectionTimeoutMsMax});
  if (!lease.ok()) return lease.status();
  config.leader_lease = absl::Milliseconds(*lease);
  raft::CoreOptions core;
  core.lease_duration = config.leader_lease;
  core.clock_rate_error_max = config.clock_rate_error_max;
  if (*lease == 0 || (*lease > heartbeat && core.VotePromise() <= config.election_timeout)) {
    return absl::OkStatus();
  }
  return reader.Error(
      "leader-lease",
      absl::StrCat("does not fit: it must be longer than the heartbeat interval (", heartbeat,
                   " ms) and, with the error of the clocks, no longer "
                   "than the election timeout (",
                   election, " ms)"));
}

absl::Status ReadTiming(const Reader& reader, Config& config) {
  const auto heartbeat = reader.Number("heartbeat-interval", 100, {1, kElectionTimeoutMsMax});
  if (!heartbeat.ok()) return heartbeat.status();
  const auto election = reader.Number("election-timeout", 1000, {1, kElectionTimeoutMsMax});
  if (!election.ok()) return election.status();
  const int64_t election_min = *heartbeat * kHeartbeatsPerElectionMin;
  if (*election < election_min) {
    // Blame the flag that was set; the other one still has its default.
    const char* culprit =
        reader.IsSet("election-timeout") ? "election-timeout" : "heartbeat-interval";
    return reader.Error(
        culprit,
        absl::StrCat("does not fit: the election timeout (", *election, " ms) must be at least ",
                     kHeartbeatsPerElectionMin, " heartbeat intervals (", *heartbeat,
                     " ms each); set --election-timeout to ", election_min, " or more"));
  }
  config.heartbeat_interval = absl::Milliseconds(*heartbeat);
  config.election_timeout = absl::Milliseconds(*election);
  const auto priority = reader.Number("leader-priority", 0, {0, kLeaderPriorityMax});
  if (!priority.ok()) return priority.status();
  config.leader_priority = static_cast<uint32_t>(*priority);
  return ReadLease(reader, config);
}

absl::Status ReadLimits(const Reader& reader, Config& config) {
  const auto request = reader.Number("max-request-bytes", 3 << 19, {1024, kRequestBytesMax});
  if (!request.ok()) return request.status();
  const auto ops = reader.Number("max-txn-ops", 128, {1, kTxnOpsMax});
  if (!ops.ok()) return ops.status();
  const auto streams = reader.Number("max-concurrent-streams", 1024, {1, kConcurrentStreamsMax});
  if (!streams.ok()) return streams.status();
  config.request_bytes_max = static_cast<size_t>(*request);
  config.txn_ops_max = static_cast<int>(*ops);
  config.concurrent_streams_max = static_cast<int>(*streams);
  const auto learners = reader.Number("max-learners", 1, {0, kLearnersMax});
  if (!learners.ok()) return learners.status();
  config.learners_max = static_cast<uint32_t>(*learners);
  const auto reflection = reader.Choice("enable-reflection");
  if (!reflection.ok()) return reflection.status();
  config.enable_reflection = *reflection;
  const auto progress = reader.Time("watch-progress-notify-interval", absl::Minutes(10),
                                    {absl::Milliseconds(100), absl::Hours(24)});
  if (!progress.ok()) return progress.status();
  config.watch_progress_interval = *progress;

  const auto step = reader.Number("snapshot-count", 100'000, {1, int64_t{1} << 40});
  if (!step.ok()) return step.status();
  const auto kept = reader.Number("snapshot-catchup-entries", 10'000, {0, int64_t{1} << 40});
  if (!kept.ok()) return kept.status();
  const auto retention = reader.Number("log-retention-bytes", 512 << 20, {0, int64_t{1} << 50});
  if (!retention.ok()) return retention.status();
  const auto rate = reader.Number("snapshot-send-rate", 16 << 20, {1 << 20, int64_t{1} << 40});
  if (!rate.ok()) return rate.status();
  config.log_retention_bytes = static_cast<uint64_t>(*retention);
  config.snapshot_bytes_per_second = static_cast<uint64_t>(*rate);
  config.compaction_step_entries = static_cast<uint64_t>(*step);
  config.log_entries_kept = static_cast<uint64_t>(*kept);
  return absl::OkStatus();
}

absl::Status ReadMaintenance(const Reader& reader, Config& config) {
  const auto quota = reader.Number("quota-backend-bytes", 0,
                                   {std::numeric_limits<int64_t>::min(), int64_t{1} << 50});
  if (!quota.ok()) return quota.status();
  config.quota_backend_bytes = *quota == 0 ? kv::StoreQuota::kDefaultBytes : *quota;
  const auto range = reader.Number("max-range-bytes", 256 << 20, {1 << 20, int64_t{1} << 40});
  if (!range.ok()) return range.status();
  config.range_bytes_max = *range;

  const std::string mode = reader.Text("auto-compaction-mode", "periodic");
  if (mode != "periodic" && mode != "revision") {
    return reader.Error("auto-compaction-mode", "must be periodic or revision");
  }
  const auto rebuild = reader.Choice("rebuild-from-peers");
  if (!rebuild.ok()) return rebuild.status();
  config.rebuild_from_peers = *rebuild;
  constexpr char kRetention[] = "auto-compaction-retention";
  const auto retention = kv::ParseRetention(
      mode == "periodic" ? kv::Retention::Mode::kPeriodic : kv::Retention::Mode::kRevision,
      reader.Text(kRetention, "0"));
  if (!retention.ok()) return reader.Error(kRetention, retention.status().message());
  config.auto_compaction = *retention;
  return absl::OkStatus();
}

absl::Status ReadLog(const Reader& reader, Config& config) {
  const std::string level = reader.Text("log-level", "info");
  if (level == "debug") {
    config.log.level = LogLevel::kDebug;
  } else if (level == "info") {
    config.log.level = LogLevel::kInfo;
  } else if (level == "warn") {
    config.log.level = LogLevel::kWarn;
  } else if (level == "error") {
    config.log.level = LogLevel::kError;
  } else {
    return reader.Error("log-level", "must be debug, info, warn or error");
  }
  const std::string format = reader.Text("log-format", "console");
  if (format != "console" && format != "json") {
    return reader.Error("log-format", "must be console or json");
  }
  config.log.format = format == "json" ? LogFormat::kJson : LogFormat::kConsole;
  return absl::OkStatus();
}

absl::Status ReadMember(const Reader& reader, Config& config) {
  config.name = reader.Text("name", "default");
  if (const auto problem = NameProblem(config.name)) return reader.Error("name", *problem);
  config.data_dir = reader.Text("data-dir", absl::StrCat(config.name, ".pontoon"));

  if (reader.IsSet("listen-client-urls") && !reader.IsSet("advertise-client-urls")) {
    return reader.Error("advertise-client-urls",
                        "is needed with --listen-client-urls: set it to the address under which "
                        "clients reach this member");
  }
  auto listen = reader.Urls("listen-client-urls", Url{"localhost", 2379});
  if (!listen.ok()) return listen.status();
  auto advertise = reader.Urls("advertise-client-urls", Url{"localhost", 2379});
  if (!advertise.ok()) return advertise.status();
  auto peers = reader.Urls("listen-peer-urls", Url{"localhost", 2380});
  if (!peers.ok()) return peers.status();

  for (const Url& url : *listen) {
    if (std::find(peers->begin(), peers->end(), url) != peers->end()) {
      return reader.Error("listen-client-urls",
                          absl::StrCat("has the address ", url.ToString(),
                                       ", on which --listen-peer-urls listens too: clients and "
                                       "peers need different ports"));
    }
  }
  for (const Url& url : *advertise) {
    if (!url.IsWildcard()) continue;
    config.notices.push_back(absl::StrCat("--advertise-client-urls has ", url.ToString(),
                                          ", which clients on other machines cannot reach"));
  }
  config.listen_client_urls = *std::move(listen);
  config.advertise_client_urls = *std::move(advertise);
  config.listen_peer_urls = *std::move(peers);
  return absl::OkStatus();
}

// Clients, peers and monitoring need different ports.
absl::Status CheckPortsDiffer(const Reader& reader, const Config& config) {
  for (const Url& url : config.listen_metrics_urls) {
    for (const std::vector<Url>* others : {&config.listen_client_urls, &config.listen_peer_urls}) {
      if (std::find(others->begin(), others->end(), url) == others->end()) continue;
      const char* const other =
          others == &config.listen_client_urls ? "--listen-client-urls" : "--listen-peer-urls";
      return reader.Error("listen-metrics-urls",
                          absl::StrCat("has the address ", url.ToString(), ", on which ", other,
                                       " listens too: set another port, or none"));
    }
  }
  return absl::OkStatus();
}

// Requires the addresses of clients and peers.
absl::Status ReadMonitoring(const Reader& reader, Config& config) {
  config.listen_metrics_given = reader.IsSet("listen-metrics-urls");
  if (reader.Text("listen-metrics-urls", "") != "none") {
    auto urls = reader.Urls("listen-metrics-urls", Url{"localhost", 2381});
    if (!urls.ok()) return urls.status();
    config.listen_metrics_urls = *std::move(urls);
  }
  const std::string compat = reader.Text("metrics-compat", "none");
  if (compat != "none" && compat != "etcd") {
    return reader.Error("metrics-compat", "must be none or etcd");
  }
  config.etcd_metric_names = compat == "etcd";
  return config.listen_metrics_given ? CheckPortsDiffer(reader, config) : absl::OkStatus();
}

bool SameUrls(const std::vector<Url>& a, const std::vector<Url>& b) {
  return std::is_permutation(a.begin(), a.end(), b.begin(), b.end());
}

// Holds this member's name and advertised addresses against its entries.
absl::Status CheckOwnEntry(const Reader& reader, absl::string_view name,
                           const std::vector<Url>& advertised, const InitialCluster& initial) {
  const std::vector<Url> own = initial.PeerUrlsOf(std::string(name));
  if (own.empty()) {
    return reader.Error("initial-cluster", absl::StrCat("does not list this member: add ", name,
                                                        "=", advertised.front().ToString(),
                                                        ", or correct --name (", name, ")"));
  }
  for (const Url& url : own) {
    if (!url.IsWildcard() || initial.members.size() == 1) continue;
    return reader.Error("initial-cluster",
                        absl::StrCat("has ", url.ToString(), " for ", name,
                                     ", which other machines cannot reach: name an address of "
                                     "this machine"));
  }
  if (SameUrls(own, advertised)) return absl::OkStatus();
  constexpr char kAdvertised[] = "initial-advertise-peer-urls";
  if (reader.IsSet(kAdvertised)) {
    return reader.Error(kAdvertised, absl::StrCat("is not what --initial-cluster has for ", name,
                                                  " (", JoinUrls(own), "): make them the same"));
  }
  return reader.Error(
      kAdvertised,
      absl::StrCat("is ", JoinUrls(advertised), ", which is not what --initial-cluster has for ",
                   name, ": set it to ", JoinUrls(own), ", or correct --initial-cluster"));
}

absl::Status ReadCluster(const Reader& reader, Config& config) {
  const auto advertised = reader.Urls("initial-advertise-peer-urls", Url{"localhost", 2380});
  if (!advertised.ok()) return advertised.status();
  InitialCluster& initial = config.initial_cluster;
  initial.token_given = reader.IsSet("initial-cluster-token");
  initial.members_given =
      reader.IsSet("initial-cluster") || reader.IsSet("initial-advertise-peer-urls");

  initial.token = reader.Text("initial-cluster-token", "pontoon-cluster");
  for (const char c : initial.token) {
    if (!absl::ascii_isgraph(c)) {
      return reader.Error("initial-cluster-token", "must be made of visible ASCII characters");
    }
  }
  const std::string state = reader.Text("initial-cluster-state", "new");
  if (state != "new" && state != "existing") {
    return reader.Error("initial-cluster-state", "must be new or existing");
  }
  initial.state = state == "new" ? ClusterState::kNew : ClusterState::kExisting;
  if (initial.state == ClusterState::kNew && advertised->size() != 1) {
    return reader.Error("initial-advertise-peer-urls", "must be one address");
  }

  if (!reader.IsSet("initial-cluster")) {
    for (const Url& url : *advertised) initial.members.push_back({config.name, url});
    return absl::OkStatus();
  }
  auto members = ParseCluster(reader.Text("initial-cluster", ""), initial.state);
  if (!members.ok()) return reader.Error("initial-cluster", members.status().message());
  initial.members = *std::move(members);
  return CheckOwnEntry(reader, config.name, *advertised, initial);
}

}  // namespace

std::vector<Url> InitialCluster::PeerUrlsOf(const std::string& name) const {
  std::vector<Url> urls;
  for (const ClusterEntry& entry : members) {
    if (entry.name == name) urls.push_back(entry.peer_url);
  }
  return urls;
}

std::string FormatCluster(const std::vector<ClusterEntry>& cluster) {
  return absl::StrJoin(cluster, ",", [](std::string* out, const ClusterEntry& entry) {
    absl::StrAppend(out, entry.name, "=", entry.peer_url.ToString());
  });
}

absl::StatusOr<Config> MakeConfig(const Settings& settings) {
  const Reader reader(settings);
  Config config;
  for (const auto read : {ReadMember, ReadMonitoring, ReadCluster, ReadTiming, ReadLimits,
                          ReadMaintenance, ReadLog}) {
    if (absl::Status s = read(reader, config); !s.ok()) return s;
  }
  return config;
}

}  // namespace pontoon
