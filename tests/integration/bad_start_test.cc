// A server that cannot do what its flags ask for does not start: exit code 1, and one readable line
// on standard error that names what is wrong.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/files.h"
#include "tests/integration/ports.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Listens on a port, as any program does.
class PortTaker {
 public:
  explicit PortTaker(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int reuse = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
  }
  ~PortTaker() { close(fd_); }

 private:
  const int fd_;
};

class BadStartTest : public ::testing::Test {
 protected:
  // Of a server that could start, were it not for what a test changes.
  Flags GoodFlags() const { return cluster_.FlagsOf(0); }

  Flags With(const std::string& name, const std::string& value) const {
    Flags flags = GoodFlags();
    flags[name] = value;
    return flags;
  }

  // Runs a server that is expected to give up by itself, as the command line `before` lets it.
  static CommandResult Run(const Flags& flags, std::vector<std::string> before = {}) {
    CommandOptions command;
    command.argv = std::move(before);
    for (std::string& word : CommandLine(Program::kPontoon, flags)) command.argv.push_back(word);
    command.timeout = absl::Seconds(20);
    const absl::StatusOr<CommandResult> result = RunCommand(command);
    EXPECT_OK(result);
    return result.value_or(CommandResult());
  }

  static void ExpectRefused(const CommandResult& result, const std::vector<std::string>& words) {
    EXPECT_EQ(result.exit, (ExitStatus{.code = 1}));
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& word : words) EXPECT_THAT(result.err, HasSubstr(word));
  }

  // Makes the folder of node 0 hold data.
  void MakeData() {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK(cluster_.client(0).Put("kept", "value"));
    ASSERT_OK(cluster_.Stop(0));
  }

  // A refused start must not have harmed the folder.
  void ExpectDataStillUsable() {
    ASSERT_OK(cluster_.StartAll());
    EXPECT_EQ(cluster_.client(0).Get("kept").response.count(), 1);
  }

  const TempFolder folder_;
  Cluster cluster_{ClusterOptions{.node_count = 1,
                                  .heartbeat_interval = absl::Milliseconds(20),
                                  .election_timeout = absl::Milliseconds(100)}};
};

TEST_F(BadStartTest, UnknownFlag) {
  ExpectRefused(Run(With("no-such-flag", "1")), {"--no-such-flag", "--help"});
}

TEST_F(BadStartTest, FlagsWithoutSense) {
  ExpectRefused(Run(With("election-timeout", "soon")), {"--election-timeout", "soon"});
  ExpectRefused(Run(With("heartbeat-interval", "900")), {"election timeout", "heartbeat"});
  ExpectRefused(Run(With("listen-client-urls", "127.0.0.1")),
                {"--listen-client-urls", "127.0.0.1"});
  ExpectRefused(Run(With("initial-cluster-state", "old")), {"--initial-cluster-state", "old"});
  ExpectRefused(Run(With("log-level", "chatty")), {"--log-level", "chatty"});
}

TEST_F(BadStartTest, DataFolderIsAFile) {
  const std::string file = folder_.path() / "file";
  WriteFile(file, "not a folder");
  ExpectRefused(Run(With("data-dir", file)), {"data folder", file, "--data-dir"});
  EXPECT_EQ(ReadFile(file), "not a folder");
}

TEST_F(BadStartTest, DataFolderCannotBeMade) {
  const std::string file = folder_.path() / "file";
  WriteFile(file, "not a folder");
  ExpectRefused(Run(With("data-dir", file + "/data")), {"data folder", file + "/data"});
  ExpectRefused(Run(With("data-dir", "/proc/pontoon")), {"data folder", "/proc/pontoon"});
}

// Files in /sys are made by the kernel alone, whoever asks.
TEST_F(BadStartTest, DataFolderCannotBeWritten) {
  ExpectRefused(Run(With("data-dir", "/sys")), {"data folder", "/sys", "--data-dir"});
}

TEST_F(BadStartTest, DataFolderMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every folder";
  const fs::path folder = folder_.path() / "closed";
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::none);
  ExpectRefused(Run(With("data-dir", folder)), {"data folder", folder.string(), "ermission"});
  fs::permissions(folder, fs::perms::owner_all);
}

// On a file system of its own, which a mount namespace makes read-only for this server alone.
TEST_F(BadStartTest, DataFolderIsReadOnly) {
  const std::vector<std::string> unshare = {"unshare", "--map-root-user", "--mount"};
  std::vector<std::string> probe = unshare;
  probe.insert(probe.end(), {"mount", "-t", "tmpfs", "none", folder_.path()});
  const absl::StatusOr<CommandResult> probed = RunCommand(probe);
  if (!probed.ok() || !probed->ok()) GTEST_SKIP() << "mounting is not allowed here";

  MakeData();
  const std::string data = cluster_.data_folder(0);
  std::vector<std::string> before = unshare;
  const std::string mount = absl::StrCat("mount --bind ", data, " ", data,
                                         " && mount -o remount,bind,ro ", data, " && exec \"$@\"");
  before.insert(before.end(), {"sh", "-c", mount, "sh"});
  ExpectRefused(Run(GoodFlags(), before), {"data folder", data, "ead-only"});
  ExpectDataStillUsable();
}

TEST_F(BadStartTest, PortIsTakenByAnotherProgram) {
  const PortReservation port;
  const PortTaker taker(port.port());
  ExpectRefused(Run(With("listen-client-urls", port.url())),
                {port.address(), "another process has the port"});
  ExpectRefused(Run(With("listen-peer-urls", port.url())),
                {port.address(), "another process has the port"});
  ExpectRefused(Run(With("listen-metrics-urls", port.url())),
                {port.address(), "another process has the port"});
}

// gRPC's servers share their ports with each other by default, which would give each of the two a
// part of the requests.
TEST_F(BadStartTest, PortIsTakenByAnotherPontoon) {
  Cluster other(ClusterOptions{.node_count = 1});
  ASSERT_OK(other.StartAll());
  const Flags flags = other.FlagsOf(0);
  for (const char* name : {"listen-client-urls", "listen-peer-urls"}) {
    const std::string url = flags.at(name);
    ExpectRefused(Run(With(name, url)), {url, "another process has the port"});
  }
  EXPECT_OK(other.client(0).Put("still", "up"));
}

TEST_F(BadStartTest, InitialClusterWithoutThisMember) {
  ExpectRefused(Run(With("name", "stranger")), {"--initial-cluster", "stranger"});
}

TEST_F(BadStartTest, InitialClusterWithAnotherAddressForThisMember) {
  const std::string url = "http://127.0.0.1:1";
  ExpectRefused(Run(With("initial-advertise-peer-urls", url)),
                {"--initial-cluster", "--initial-advertise-peer-urls", url});
  Flags flags = GoodFlags();
  flags.erase("initial-advertise-peer-urls");
  ExpectRefused(Run(flags), {"--initial-advertise-peer-urls", "(not set)", "--initial-cluster"});
}

TEST_F(BadStartTest, InitialClusterWithoutSense) {
  const std::string good = GoodFlags().at("initial-cluster");
  ExpectRefused(Run(With("initial-cluster", "node1")), {"--initial-cluster", "name=url"});
  ExpectRefused(Run(With("initial-cluster", good + ",node2=nonsense")),
                {"--initial-cluster", "nonsense"});
  ExpectRefused(Run(With("initial-cluster", good + "," + good)),
                {"--initial-cluster", "node1", "twice"});
}

TEST_F(BadStartTest, DataFolderInUse) {
  MakeData();
  ASSERT_OK(cluster_.StartAll());
  const PortReservation client_port;
  const PortReservation peer_port;
  Flags flags = With("listen-client-urls", client_port.url());
  flags["listen-peer-urls"] = peer_port.url();
  ExpectRefused(Run(flags), {"data folder", cluster_.data_folder(0), "in use"});
  EXPECT_OK(cluster_.client(0).Put("still", "up"));
}

TEST_F(BadStartTest, DataOfAnotherCluster) {
  MakeData();
  ExpectRefused(Run(With("initial-cluster-token", "another")),
                {"data folder", cluster_.data_folder(0), "integration-test", "another"});
  ExpectRefused(
      Run(With("initial-cluster", GoodFlags().at("initial-cluster") + ",node2=http://127.0.0.1:1")),
      {"data folder", cluster_.data_folder(0), "node2"});
  ExpectDataStillUsable();
}

TEST_F(BadStartTest, DataOfAnotherNode) {
  MakeData();
  Flags flags = With("name", "node2");
  flags["initial-cluster"] = "node2=" + flags["initial-advertise-peer-urls"];
  ExpectRefused(Run(flags), {"data folder", cluster_.data_folder(0), "node1", "node2"});
  ExpectDataStillUsable();
}

TEST_F(BadStartTest, DamagedIdentity) {
  MakeData();
  const fs::path file = cluster_.data_folder(0) / "identity";
  const std::string good = ReadFile(file);
  ASSERT_FALSE(good.empty());
  std::string changed = good;
  changed[good.size() / 2] ^= 1;
  for (const std::string& bad : {std::string(), good.substr(0, good.size() / 2), changed}) {
    WriteFile(file, bad);
    ExpectRefused(Run(GoodFlags()), {"data folder", file.string()});
  }
  WriteFile(file, good);
  ExpectDataStillUsable();
}

TEST_F(BadStartTest, DamagedState) {
  MakeData();
  const fs::path generation = cluster_.data_folder(0) / "state" / "0000000000000000";
  const fs::path file = generation / "CURRENT";
  const std::string good = ReadFile(file);
  WriteFile(file, "no such manifest\n");
  ExpectRefused(Run(GoodFlags()), {"data folder", generation});
  WriteFile(file, good);
  ExpectDataStillUsable();
}

TEST_F(BadStartTest, PartsOfTheDataAreMissing) {
  MakeData();
  for (const std::string part : {"identity", "log", "state"}) {
    const fs::path place = cluster_.data_folder(0) / part;
    const fs::path away = folder_.path() / part;
    fs::rename(place, away);
    ExpectRefused(Run(GoodFlags()), {cluster_.data_folder(0), part});
    fs::rename(away, place);
  }
  ExpectDataStillUsable();
}

}  // namespace
}  // namespace pontoon::testing
