#include "cmd/pontoonctl/test_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

// Ports of the loopback interface that nobody uses just now. All are held until all are found, so
// that they differ.
std::vector<int> FreePorts(int count) {
  std::vector<int> sockets, ports;
  for (int i = 0; i < count; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    CHECK_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    CHECK_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
    sockets.push_back(fd);
    ports.push_back(ntohs(address.sin_port));
  }
  for (int fd : sockets) close(fd);
  return ports;
}

std::string ServerProgram() {
  const char* program = std::getenv("PONTOONCTL_TEST_SERVER");
  const std::string path = program == nullptr ? "/usr/bin/etcd" : program;
  CHECK_EQ(access(path.c_str(), X_OK), 0)
      << path << " cannot be run: install the package etcd-server, or set PONTOONCTL_TEST_SERVER";
  return path;
}

// In the child after fork: becomes the server.
[[noreturn]] void Exec(const std::vector<char*>& argv, const char* log_path) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0666);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

TestCluster::TestCluster(const std::string& directory, int size) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const std::vector<int> ports = FreePorts(3 * size);
  for (int i = 0; i < size; ++i) {
    servers_.push_back({.name = absl::StrCat("node", i),
                        .endpoint = absl::StrCat("127.0.0.1:", ports[3 * i]),
                        .peer_url = absl::StrCat("http://127.0.0.1:", ports[3 * i + 1]),
                        .metrics = absl::StrCat("127.0.0.1:", ports[3 * i + 2])});
  }
  for (Server& server : servers_) Start(directory, server);
}

TestCluster::~TestCluster() {
  for (int i = 0; i < size(); ++i) Kill(i);
}

std::string TestCluster::endpoints() const {
  return absl::StrJoin(servers_, ",", [](std::string* out, const Server& server) {
    absl::StrAppend(out, server.endpoint);
  });
}

void TestCluster::Start(const std::string& directory, Server& server) {
  const std::string members =
      absl::StrJoin(servers_, ",", [](std::string* out, const Server& member) {
        absl::StrAppend(out, member.name, "=", member.peer_url);
      });
  const std::string client_url = absl::StrCat("http://", server.endpoint);
  const std::string data = absl::StrCat(directory, "/", server.name);
  std::vector<std::string> words = {ServerProgram(),
                                    absl::StrCat("--name=", server.name),
                                    absl::StrCat("--data-dir=", data),
                                    absl::StrCat("--listen-client-urls=", client_url),
                                    absl::StrCat("--advertise-client-urls=", client_url),
                                    absl::StrCat("--listen-peer-urls=", server.peer_url),
                                    absl::StrCat("--initial-advertise-peer-urls=", server.peer_url),
                                    absl::StrCat("--initial-cluster=", members),
                                    absl::StrCat("--listen-metrics-urls=http://", server.metrics)};
  // All memory is taken before fork; the child only makes system calls.
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log_path = data + ".log";
  server.pid = fork();
  CHECK_GE(server.pid, 0);
  if (server.pid == 0) Exec(argv, log_path.c_str());
}

void TestCluster::Kill(int server) {
  pid_t& pid = servers_[server].pid;
  if (pid < 0) return;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid = -1;
}

}  // namespace pontoon::ctl
