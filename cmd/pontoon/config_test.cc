// What the operator may write, what it means, and what each mistake is answered with.

#include "cmd/pontoon/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "cmd/pontoon/settings.h"

namespace pontoon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

absl::StatusOr<std::variant<Settings, PrintAndExit>> Read(std::vector<const char*> flags,
                                                          const Environment& variables = {}) {
  flags.insert(flags.begin(), "pontoon");
  return ReadSettings(static_cast<int>(flags.size()), flags.data(), variables);
}

absl::StatusOr<Config> Configure(std::vector<const char*> flags,
                                 const Environment& variables = {}) {
  const auto read = Read(std::move(flags), variables);
  if (!read.ok()) return read.status();
  return MakeConfig(std::get<Settings>(*read));
}

std::string ErrorOf(std::vector<const char*> flags, const Environment& variables = {}) {
  return std::string(Configure(std::move(flags), variables).status().message());
}

std::string PrintedBy(std::vector<const char*> flags) {
  const auto read = Read(std::move(flags));
  return read.ok() ? std::get<PrintAndExit>(*read).text : std::string(read.status().message());
}

// A config file with `text`, for as long as the test runs.
std::string FileWith(const std::string& text) {
  const std::string path = testing::TempDir() + "/" +
                           testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml";
  std::ofstream(path) << text;
  return path;
}

TEST(Config, NothingGivenMakesASingleMemberOnThisMachine) {
  const auto config = Configure({});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "default");
  EXPECT_EQ(config->data_dir, "default.pontoon");
  EXPECT_EQ(JoinUrls(config->listen_client_urls), "http://localhost:2379");
  EXPECT_EQ(JoinUrls(config->advertise_client_urls), "http://localhost:2379");
  EXPECT_EQ(JoinUrls(config->listen_peer_urls), "http://localhost:2380");
  EXPECT_EQ(JoinUrls(config->listen_metrics_urls), "http://localhost:2381");
  EXPECT_FALSE(config->listen_metrics_given);
  EXPECT_FALSE(config->etcd_metric_names);
  EXPECT_EQ(FormatCluster(config->initial_cluster.members), "default=http://localhost:2380");
  EXPECT_EQ(config->initial_cluster.token, "pontoon-cluster");
  EXPECT_EQ(config->initial_cluster.state, ClusterState::kNew);
  EXPECT_FALSE(config->initial_cluster.members_given);
  EXPECT_FALSE(config->initial_cluster.token_given);
  EXPECT_EQ(config->heartbeat_interval, absl::Milliseconds(100));
  EXPECT_EQ(config->election_timeout, absl::Seconds(1));
  EXPECT_EQ(config->leader_lease, absl::Milliseconds(300));
  EXPECT_EQ(config->clock_rate_error_max, 0.001);
  EXPECT_EQ(config->leader_priority, 0u);
  EXPECT_EQ(config->request_bytes_max, 1'572'864u);
  EXPECT_EQ(config->txn_ops_max, 128);
  EXPECT_EQ(config->concurrent_streams_max, 1024);
  EXPECT_EQ(config->learners_max, 1u);
  EXPECT_EQ(config->watch_progress_interval, absl::Minutes(10));
  EXPECT_EQ(config->compaction_step_entries, 100'000u);
  EXPECT_EQ(config->log_entries_kept, 10'000u);
  EXPECT_EQ(config->log_retention_bytes, 512u << 20);
  EXPECT_EQ(config->snapshot_bytes_per_second, 16u << 20);
  EXPECT_EQ(config->log.level, LogLevel::kInfo);
  EXPECT_EQ(config->log.format, LogFormat::kConsole);
  EXPECT_THAT(config->notices, IsEmpty());
}

TEST(Config, EveryFlagIsUnderstood) {
  const auto config =
      Configure({"--name=b",
                 "--data-dir=/var/lib/pontoon",
                 "--listen-client-urls=http://0.0.0.0:2379,http://[::1]:12379",
                 "--advertise-client-urls=http://b:2379",
                 "--listen-peer-urls=http://0.0.0.0:2380",
                 "--initial-advertise-peer-urls=http://b:2380",
                 "--initial-cluster=a=http://a:2380, b=http://b:2380,c=http://c:2380",
                 "--initial-cluster-state=existing",
                 "--initial-cluster-token=east",
                 "--heartbeat-interval=50",
                 "--election-timeout=250",
                 "--leader-lease=200",
                 "--leader-priority=7",
                 "--max-clock-error=20000",
                 "--snapshot-count=5",
                 "--snapshot-catchup-entries=3",
                 "--log-retention-bytes=7",
                 "--snapshot-send-rate=2000000",
                 "--max-request-bytes=2000000",
                 "--max-txn-ops=256",
                 "--max-concurrent-streams=10",
                 "--max-learners=3",
                 "--watch-progress-notify-interval=1m30s",
                 "--listen-metrics-urls=http://0.0.0.0:9100,http://[::1]:9101",
                 "--metrics-compat=etcd",
                 "--log-level=warn",
                 "--log-format=json"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "b");
  EXPECT_EQ(config->data_dir, "/var/lib/pontoon");
  EXPECT_EQ(JoinUrls(config->listen_client_urls), "http://0.0.0.0:2379,http://[::1]:12379");
  EXPECT_EQ(JoinUrls(config->listen_peer_urls), "http://0.0.0.0:2380");
  EXPECT_EQ(JoinUrls(config->listen_metrics_urls), "http://0.0.0.0:9100,http://[::1]:9101");
  EXPECT_TRUE(config->listen_metrics_given);
  EXPECT_TRUE(config->etcd_metric_names);
  EXPECT_EQ(FormatCluster(config->initial_cluster.members),
            "a=http://a:2380,b=http://b:2380,c=http://c:2380");
  EXPECT_EQ(config->initial_cluster.state, ClusterState::kExisting);
  EXPECT_EQ(config->initial_cluster.token, "east");
  EXPECT_TRUE(config->initial_cluster.members_given);
  EXPECT_TRUE(config->initial_cluster.token_given);
  EXPECT_EQ(config->heartbeat_interval, absl::Milliseconds(50));
  EXPECT_EQ(config->election_timeout, absl::Milliseconds(250));
  EXPECT_EQ(config->leader_lease, absl::Milliseconds(200));
  EXPECT_EQ(config->clock_rate_error_max, 0.02);
  EXPECT_EQ(config->leader_priority, 7u);
  EXPECT_EQ(config->request_bytes_max, 2'000'000u);
  EXPECT_EQ(config->txn_ops_max, 256);
  EXPECT_EQ(config->concurrent_streams_max, 10);
  EXPECT_EQ(config->learners_max, 3u);
  EXPECT_EQ(config->watch_progress_interval, absl::Seconds(90));
  EXPECT_EQ(config->log.level, LogLevel::kWarn);
  EXPECT_EQ(config->log.format, LogFormat::kJson);
  EXPECT_EQ(config->compaction_step_entries, 5u);
  EXPECT_EQ(config->log_entries_kept, 3u);
  EXPECT_EQ(config->log_retention_bytes, 7u);
  EXPECT_EQ(config->snapshot_bytes_per_second, 2'000'000u);
}

TEST(Config, TheAdvertisedAddressIsNeededOnlyWhereItIsNotTheDefault) {
  const auto config =
      Configure({"--name=a", "--initial-cluster=a=http://localhost:2380,b=http://b:2380"});
  ASSERT_TRUE(config.ok()) << config.status();
}

// With a second address for one member, and one that was never started.
TEST(Config, AnExistingClusterIsTakenAsMemberAddPrintsIt) {
  const auto config = Configure(
      {"--name=c",
       "--initial-cluster=a=http://a:1,a=http://a:2,=http://b:1,c=http://c:1,c=http://c:2",
       "--initial-advertise-peer-urls=http://c:2,http://c:1", "--initial-cluster-state=existing"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->initial_cluster.members.size(), 5u);
  EXPECT_EQ(JoinUrls(config->initial_cluster.PeerUrlsOf("c")), "http://c:1,http://c:2");
  EXPECT_FALSE(config->initial_cluster.token_given);
}

TEST(Config, MetricsMayBeServedNowhere) {
  const auto config = Configure({"--listen-metrics-urls=none"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->listen_metrics_urls, IsEmpty());
}

// That one only is not served then, and says so.
TEST(Config, TheDefaultPortOfMetricsMayBeThatOfClients) {
  const auto config = Configure({"--listen-client-urls=http://localhost:2381",
                                 "--advertise-client-urls=http://localhost:2381"});
  EXPECT_TRUE(config.ok()) << config.status();
}

struct Mistake {
  std::vector<const char*> flags;
  const char* message;
};

class ConfigMistake : public testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistake, IsToldInOneLine) {
  const auto config = Configure(GetParam().flags);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().message(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, ConfigMistake,
    testing::Values(Mistake{{"--nmae=a"}, "unknown flag --nmae=a; see pontoon --help"},
                    Mistake{{"serve"}, "unexpected word serve; see pontoon --help"},
                    Mistake{{"--name"}, "--name: 1 required NAME missing; see pontoon --help"}));

INSTANTIATE_TEST_SUITE_P(
    Member, ConfigMistake,
    testing::Values(
        Mistake{
            {"--name=a=b"},
            "--name: \"a=b\" must be made of visible ASCII characters without '=', ',' and '/'"},
        Mistake{{"--listen-client-urls=http://a:1"},
                "--advertise-client-urls: (not set) is needed with --listen-client-urls: set it "
                "to the address under which clients reach this member"},
        Mistake{{"--advertise-client-urls=https://a:1"},
                "--advertise-client-urls: \"https://a:1\": TLS is not offered by this version; "
                "use http://, on a trusted network"},
        Mistake{{"--listen-peer-urls=http://localhost:2379"},
                "--listen-client-urls: (not set) has the address http://localhost:2379, on which "
                "--listen-peer-urls listens too: clients and peers need different ports"}));

INSTANTIATE_TEST_SUITE_P(
    Monitoring, ConfigMistake,
    testing::Values(
        Mistake{{"--listen-metrics-urls=http://localhost:2379"},
                "--listen-metrics-urls: \"http://localhost:2379\" has the address "
                "http://localhost:2379, on which --listen-client-urls listens too: set another "
                "port, or none"},
        Mistake{{"--metrics-compat=prometheus"},
                "--metrics-compat: \"prometheus\" must be none or etcd"}));

INSTANTIATE_TEST_SUITE_P(
    Cluster, ConfigMistake,
    testing::Values(
        Mistake{{"--name=x", "--initial-cluster=a=http://a:1"},
                "--initial-cluster: \"a=http://a:1\" does not list this member: add "
                "x=http://localhost:2380, or correct --name (x)"},
        Mistake{{"--name=a", "--initial-cluster=a=http://a:1",
                 "--initial-advertise-peer-urls=http://a:2"},
                "--initial-advertise-peer-urls: \"http://a:2\" is not what --initial-cluster has "
                "for a (http://a:1): make them the same"},
        Mistake{{"--name=a", "--initial-cluster=a=http://a:1,b=http://b:1"},
                "--initial-advertise-peer-urls: (not set) is http://localhost:2380, which is not "
                "what --initial-cluster has for a: set it to http://a:1, or correct "
                "--initial-cluster"},
        Mistake{{"--initial-advertise-peer-urls=http://a:1,http://a:2"},
                "--initial-advertise-peer-urls: \"http://a:1,http://a:2\" must be one address"},
        Mistake{{"--name=a", "--initial-cluster=a=http://a:1,a=http://a:2"},
                "--initial-cluster: \"a=http://a:1,a=http://a:2\" lists \"a\" twice: give every "
                "member another name, and one address"},
        Mistake{{"--name=a", "--initial-cluster=a=http://a:1,b=http://a:1"},
                "--initial-cluster: \"a=http://a:1,b=http://a:1\" gives \"a\" and \"b\" the same "
                "address http://a:1"},
        Mistake{{"--name=a", "--initial-cluster-state=existing", "--initial-cluster==http://a:1"},
                "--initial-cluster: \"=http://a:1\" does not list this member: add "
                "a=http://localhost:2380, or correct --name (a)"},
        Mistake{{"--name=a", "--initial-cluster-state=existing",
                 "--initial-advertise-peer-urls=http://a:2",
                 "--initial-cluster=a=http://a:1,a=http://a:2"},
                "--initial-advertise-peer-urls: \"http://a:2\" is not what --initial-cluster has "
                "for a (http://a:1,http://a:2): make them the same"},
        Mistake{{"--name=a", "--initial-cluster==http://a:1"},
                "--initial-cluster: \"=http://a:1\" has the name \"\", which must not be empty"},
        Mistake{{"--name=a", "--initial-cluster=http://a:1"},
                "--initial-cluster: \"http://a:1\" has the part \"http://a:1\", which is not of "
                "the form name=url"},
        Mistake{{"--name=a", "--initial-cluster=a=a:1"},
                "--initial-cluster: \"a=a:1\" has a bad address for \"a\": \"a:1\" is not an "
                "address of the form http://host:port: it must begin with http://"},
        Mistake{{"--name=a", "--initial-cluster=a=http://0.0.0.0:1,b=http://b:1"},
                "--initial-cluster: \"a=http://0.0.0.0:1,b=http://b:1\" has http://0.0.0.0:1 for "
                "a, which other machines cannot reach: name an address of this machine"},
        Mistake{{"--initial-cluster-state=old"},
                "--initial-cluster-state: \"old\" must be new or existing"},
        Mistake{{"--initial-cluster-token=a b"},
                "--initial-cluster-token: \"a b\" must be made of visible ASCII characters"}));

INSTANTIATE_TEST_SUITE_P(
    NumbersAndWords, ConfigMistake,
    testing::Values(
        Mistake{{"--heartbeat-interval=0"},
                "--heartbeat-interval: \"0\" must be a whole number from 1 to 50000"},
        Mistake{{"--heartbeat-interval=100ms"},
                "--heartbeat-interval: \"100ms\" must be a whole number from 1 to 50000"},
        Mistake{{"--election-timeout=50001"},
                "--election-timeout: \"50001\" must be a whole number from 1 to 50000"},
        Mistake{{"--election-timeout=499"},
                "--election-timeout: \"499\" does not fit: the election timeout (499 ms) must be "
                "at least 5 heartbeat intervals (100 ms each); set --election-timeout to 500 or "
                "more"},
        Mistake{{"--heartbeat-interval=300"},
                "--heartbeat-interval: \"300\" does not fit: the election timeout (1000 ms) must "
                "be at least 5 heartbeat intervals (300 ms each); set --election-timeout to 1500 "
                "or more"},
        Mistake{{"--leader-lease=100"},
                "--leader-lease: \"100\" does not fit: it must be longer than the heartbeat "
                "interval (100 ms) and, with the error of the clocks, no longer than the election "
                "timeout (1000 ms)"},
        Mistake{{"--leader-lease=999"},
                "--leader-lease: \"999\" does not fit: it must be longer than the heartbeat "
                "interval (100 ms) and, with the error of the clocks, no longer than the election "
                "timeout (1000 ms)"},
        Mistake{{"--leader-priority=-1"},
                "--leader-priority: \"-1\" must be a whole number from 0 to 1000000"},
        Mistake{{"--max-clock-error=100001"},
                "--max-clock-error: \"100001\" must be a whole number from 0 to 100000"},
        Mistake{{"--max-request-bytes=-1"},
                "--max-request-bytes: \"-1\" must be a whole number from 1024 to 33554432"},
        Mistake{{"--watch-progress-notify-interval=90"},
                "--watch-progress-notify-interval: \"90\" must be a time from 100ms to 24h, "
                "written as \"90s\" or \"1h30m\""},
        Mistake{{"--watch-progress-notify-interval=99ms"},
                "--watch-progress-notify-interval: \"99ms\" must be a time from 100ms to 24h, "
                "written as \"90s\" or \"1h30m\""},
        Mistake{{"--max-txn-ops=0"}, "--max-txn-ops: \"0\" must be a whole number from 1 to 65536"},
        Mistake{{"--max-learners=-1"},
                "--max-learners: \"-1\" must be a whole number from 0 to 1000"},
        Mistake{{"--log-level=loud"}, "--log-level: \"loud\" must be debug, info, warn or error"},
        Mistake{{"--log-format=xml"}, "--log-format: \"xml\" must be console or json"}));

TEST(Settings, FlagThenPontoonVariableThenEtcdVariableThenFileThenDefault) {
  const std::string file = FileWith(
      "# as an operator would write it\n"
      "name: 'file'\n"
      "data-dir: /file\n"
      "log-level: debug\n"
      "heartbeat-interval: 20\n"
      "election-timeout:\n"
      "listen-peer-urls: [http://a:1, 'http://b:2']\n");
  const std::string flag = "--config-file=" + file;
  const auto config = Configure({"--name=flag", flag.c_str()}, {{"PONTOON_NAME", "pontoon"},
                                                                {"ETCD_NAME", "etcd"},
                                                                {"PONTOON_DATA_DIR", "/pontoon"},
                                                                {"ETCD_DATA_DIR", "/etcd"},
                                                                {"ETCD_LOG_LEVEL", "error"},
                                                                {"PONTOON_LOG_LEVEL", ""}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "flag");
  EXPECT_EQ(config->data_dir, "/pontoon");
  EXPECT_EQ(config->log.level, LogLevel::kError);
  EXPECT_EQ(config->heartbeat_interval, absl::Milliseconds(20));
  EXPECT_EQ(config->election_timeout, absl::Seconds(1));
  EXPECT_EQ(JoinUrls(config->listen_peer_urls), "http://a:1,http://b:2");
}

TEST(Settings, TheFileMayBeNamedByTheEnvironment) {
  const auto config = Configure({}, {{"ETCD_CONFIG_FILE", FileWith("name: from-file\n")}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->name, "from-file");
}

TEST(Settings, ErrorsNameTheirOrigin) {
  EXPECT_THAT(ErrorOf({}, {{"ETCD_MAX_TXN_OPS", "many"}}),
              StartsWith("ETCD_MAX_TXN_OPS: \"many\" must be"));
  const std::string file = FileWith("name: a\nmax-txn-ops: many\n");
  EXPECT_THAT(ErrorOf({("--config-file=" + file).c_str()}),
              StartsWith("max-txn-ops (" + file + ":2): \"many\" must be"));
}

TEST(Settings, AMisspeltVariableIsAnError) {
  EXPECT_EQ(ErrorOf({}, {{"PONTOON_ELECTON_TIMEOUT", "5000"}}),
            "unknown variable PONTOON_ELECTON_TIMEOUT; see pontoon --help");
  EXPECT_EQ(ErrorOf({"--name=a"}, {{"PONTOON_NAME", "b"}, {"PONTOON_", "c"}}),
            "unknown variable PONTOON_; see pontoon --help");
}

TEST(Settings, VariablesThatAreNotMeantForThisServerAreNoErrors) {
  const auto config = Configure({}, {{"PONTOON_ELECTON_TIMEOUT", ""},
                                     {"ETCD_UNSUPPORTED_ARCH", "arm64"},
                                     {"PONTOONCTL_ENDPOINTS", "127.0.0.1:2379"},
                                     {"HOME", "/root"},
                                     // Kubernetes, for services called pontoon and pontoon-members.
                                     {"PONTOON_SERVICE_HOST", "10.0.0.1"},
                                     {"PONTOON_SERVICE_PORT", "2379"},
                                     {"PONTOON_SERVICE_PORT_CLIENT", "2379"},
                                     {"PONTOON_PORT", "tcp://10.0.0.1:2379"},
                                     {"PONTOON_MEMBERS_PORT_2380_TCP_ADDR", "10.0.0.1"}});
  EXPECT_TRUE(config.ok()) << config.status();
}

TEST(Settings, MistakesInTheFileNameFileAndLine) {
  const struct {
    const char* text;
    const char* problem;
  } kCases[] = {
      {"name: a\nwal-dir: /x\n", ":2: unknown setting \"wal-dir\"; see pontoon --help"},
      {"config-file: b.yaml\n", ":1: unknown setting \"config-file\""},
      {"name: a\nname: b\n", ":2: \"name\" is set twice"},
      {"client-transport-security:\n  cert-file: x\n",
       ":1: \"client-transport-security\" has settings inside it"},
      {"- name\n", ":1: expected lines of the form \"key: value\""},
      {"name: [a\n", ":2: did not find expected ',' or ']'"},
  };
  for (const auto& c : kCases) {
    const std::string file = FileWith(c.text);
    EXPECT_THAT(ErrorOf({("--config-file=" + file).c_str()}), StartsWith(file + c.problem));
  }
}

TEST(Settings, AMissingFileIsAnError) {
  EXPECT_THAT(ErrorOf({"--config-file=/nowhere/p.yaml"}),
              HasSubstr("cannot open /nowhere/p.yaml: No such file"));
}

TEST(Settings, AnEmptyFileSetsNothing) {
  EXPECT_TRUE(Configure({("--config-file=" + FileWith("# nothing\n")).c_str()}).ok());
}

TEST(Settings, TheLastOfARepeatedFlagCounts) {
  EXPECT_EQ(Configure({"--name=a", "--name", "b"})->name, "b");
}

TEST(Settings, HelpShowsEveryFlagInItsGroup) {
  const std::string help = PrintedBy({"--help"});
  for (const Flag& flag : Flags()) {
    const std::string value = *flag.value_name == '\0' ? "" : std::string(" ") + flag.value_name;
    EXPECT_THAT(help, HasSubstr(std::string("--") + flag.name + value + "\n"));
    EXPECT_THAT(help, HasSubstr(std::string(flag.group) + ":"));
  }
  EXPECT_THAT(help, HasSubstr("(default http://localhost:2379)"));
  EXPECT_THAT(help, HasSubstr("A flag wins\nover PONTOON_*"));
}

TEST(Settings, VersionNamesTheApiLevel) {
  EXPECT_EQ(PrintedBy({"--version"}), "pontoon 0.1.0\netcd API 3.7.0\n");
}

TEST(Config, TheQuotaIsEtcds) {
  EXPECT_EQ(Configure({})->quota_backend_bytes, int64_t{2} << 30);
  EXPECT_EQ(Configure({"--quota-backend-bytes", "0"})->quota_backend_bytes, int64_t{2} << 30);
  EXPECT_EQ(Configure({"--quota-backend-bytes=1048576"})->quota_backend_bytes, 1048576);
  EXPECT_LT(Configure({"--quota-backend-bytes=-1"})->quota_backend_bytes, 0);
  EXPECT_THAT(ErrorOf({"--quota-backend-bytes", "2G"}),
              StartsWith("--quota-backend-bytes: \"2G\""));
}

TEST(Config, RetentionsAreEtcds) {
  EXPECT_TRUE(Configure({})->auto_compaction.KeepsAll());
  EXPECT_EQ(Configure({"--auto-compaction-retention", "5m"})->auto_compaction.period,
            absl::Minutes(5));
  EXPECT_EQ(Configure({"--auto-compaction-retention", "2"})->auto_compaction.period,
            absl::Hours(2));
  EXPECT_EQ(Configure({"--auto-compaction-mode=revision", "--auto-compaction-retention=1000"})
                ->auto_compaction.revisions,
            1000);
  EXPECT_THAT(ErrorOf({"--auto-compaction-mode=revision", "--auto-compaction-retention=5m"}),
              StartsWith("--auto-compaction-retention: \"5m\" must be a number of revisions"));
  EXPECT_THAT(ErrorOf({"--auto-compaction-retention", "soon"}), HasSubstr("72h"));
  EXPECT_THAT(ErrorOf({"--auto-compaction-mode", "never"}), HasSubstr("periodic or revision"));
}

TEST(Config, ReflectionIsOffUnlessAskedFor) {
  EXPECT_FALSE(Configure({})->enable_reflection);
  EXPECT_TRUE(Configure({"--enable-reflection"})->enable_reflection);
  EXPECT_THAT(ErrorOf({"--enable-reflection=1"}), HasSubstr("true or false"));
}

TEST(Config, ARebuildNeedsNoValue) {
  EXPECT_FALSE(Configure({})->rebuild_from_peers);
  EXPECT_TRUE(Configure({"--rebuild-from-peers"})->rebuild_from_peers);
  EXPECT_TRUE(Configure({"--rebuild-from-peers", "--name", "a"})->rebuild_from_peers);
  EXPECT_FALSE(Configure({"--rebuild-from-peers=false"})->rebuild_from_peers);
  EXPECT_TRUE(Configure({}, {{"PONTOON_REBUILD_FROM_PEERS", "true"}})->rebuild_from_peers);
  EXPECT_THAT(ErrorOf({}, {{"PONTOON_REBUILD_FROM_PEERS", "maybe"}}), HasSubstr("true or false"));
}

}  // namespace
}  // namespace pontoon
