// Cluster: real server processes on the loopback interface, to be started, stopped, killed and
// paused by a test.

#ifndef PONTOON_TESTS_INTEGRATION_CLUSTER_H_
#define PONTOON_TESTS_INTEGRATION_CLUSTER_H_

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/integration/client.h"
#include "tests/integration/files.h"
#include "tests/integration/ports.h"
#include "tests/integration/process.h"

namespace pontoon::testing {

// What the nodes run. Both take the same flags.
enum class Program { kPontoon, kEtcd };

// "pontoon" or "etcd".
const char* NameOf(Program program);

// The program's file. For kPontoon the environment variable TESTED_SERVER, if set, names
// another server with etcd's flags: a test that also passes against etcd asks for nothing that is
// Pontoon's alone (bazel test --test_env=TESTED_SERVER=/usr/bin/etcd ...).
std::string PathOf(Program program);

// Flags of a server by name, without the leading dashes.
using Flags = std::map<std::string, std::string>;

// The command line of a server.
std::vector<std::string> CommandLine(Program program, const Flags& flags);

struct ClusterOptions {
  Program program = Program::kPontoon;
  int node_count = 3;
  absl::Duration heartbeat_interval = absl::Milliseconds(100);
  absl::Duration election_timeout = absl::Seconds(1);
  Flags extra_flags = {};
};

// Nodes are numbered from 0; node 0 is named node1, and so on. Everything that they store and
// print lies in a folder that goes with the object; if the test has failed, the end of what each
// node printed is shown then.
//
// Thread safety: one thread at a time, except client() and what the clients do.
class Cluster {
 public:
  // The longest that a healthy cluster may take for anything here, on a busy machine.
  static constexpr absl::Duration kPatience = absl::Seconds(30);

  explicit Cluster(ClusterOptions options = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Another node, which is not of the cluster: it has to be added, and started to join. Not while
  // other threads use the cluster; clients that exist may go on.
  int AddNode();

  // Starts a node that does not run; its data stay from one start to the next. Does not wait until
  // it serves.
  absl::Status Start(int node);

  // The same with `flags` in place of FlagsOf(node).
  absl::Status StartWith(int node, const Flags& flags);

  // Starts all nodes that do not run, and waits for a leader.
  absl::Status StartAll();

  // Sends SIGTERM, unless BeginStop has, and waits for the end of the process.
  absl::StatusOr<ExitStatus> Stop(int node);

  // Sends SIGTERM and does not wait.
  void BeginStop(int node);

  // Sends SIGTERM, and SIGINT after it until the process ends, as an impatient operator does.
  absl::StatusOr<ExitStatus> StopAtOnce(int node);

  // Waits for a process that is to end by itself.
  absl::StatusOr<ExitStatus> AwaitEnd(int node);

  // From now on a node's writes beyond the first `bytes` of a file fail, as they do on a disk that
  // is broken or full, until it is started again.
  void LimitFileSize(int node, size_t bytes);

  // Sends SIGKILL to the nodes, to all before waiting for the end of any.
  void Kill(const std::vector<int>& nodes);
  void Kill(int node) { Kill(std::vector<int>{node}); }
  void KillAll() { Kill(AllNodes()); }

  // SIGSTOP and SIGCONT.
  void Pause(int node);
  void Continue(int node);

  // Waits until all nodes that run and are not paused name the same leader, which is one of them
  // and agrees; returns it. Fails at once if a node has ended by itself.
  absl::StatusOr<int> WaitForLeader(absl::Duration timeout = kPatience);

  // Waits until a node has applied everything that was committed before the call.
  absl::Status WaitForCatchUp(int node, absl::Duration timeout = kPatience);

  // Waits until a node has logged `words`.
  absl::Status WaitForLog(int node, const std::string& words,
                          absl::Duration timeout = kPatience) const;

  // Whether a node was started, and neither stopped nor killed since.
  bool Runs(int node) const { return nodes_.at(node)->process != nullptr; }

  // A client of one node, made with the cluster. It waits while the node is down.
  Client& client(int node) { return *nodes_.at(node)->client; }

  int size() const { return static_cast<int>(nodes_.size()); }
  std::vector<int> AllNodes() const;
  std::vector<int> AllNodesBut(int node) const;

  std::string address(int node) const { return nodes_.at(node)->client_port.address(); }
  std::string Endpoints() const;  // of all nodes, with commas
  std::string peer_url(int node) const { return nodes_.at(node)->peer_port.url(); }
  const ClusterOptions& options() const { return options_; }

  // How a node is started: to make the cluster, together with the others of its first node_count;
  // or to join it, if it came later.
  Flags FlagsOf(int node) const;
  const std::filesystem::path& data_folder(int node) const { return nodes_.at(node)->data; }
  // Where a node's output goes.
  const std::filesystem::path& log_file(int node) const { return nodes_.at(node)->log; }

 private:
  struct Node {
    std::string name;
    PortReservation client_port;
    PortReservation peer_port;
    std::filesystem::path data;
    std::filesystem::path log;
    std::unique_ptr<Client> client;
    std::unique_ptr<Client> prober;    // with a short timeout, for WaitForLeader
    std::unique_ptr<Process> process;  // null: does not run
    bool paused = false;
    bool stopping = false;  // has got SIGTERM
  };

  bool Awake(const Node& node) const { return node.process != nullptr && !node.paused; }
  absl::Status CheckAllAlive() const;
  // The leader, if all nodes that are awake agree on one; nothing, after a while, if not.
  std::optional<int> AgreedLeader();
  void PrintLogs() const;

  const ClusterOptions options_;
  const TempFolder folder_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_CLUSTER_H_
