#include "tests/integration/cluster.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <iostream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "raft/base/check.h"

namespace pontoon::testing {
namespace {

// How much of each node's output is shown after a failure.
constexpr size_t kShownLinesMax = 60;

// How long one question to a node may take while a leader is looked for. It also sets the pace of
// asking: a node that knows no leader lets a linearizable read wait for that long.
constexpr absl::Duration kProbeTimeout = absl::Milliseconds(250);

// Between the signals of an impatient operator.
constexpr absl::Duration kImpatience = absl::Milliseconds(20);

std::string Milliseconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Milliseconds(duration));
}

}  // namespace

const char* NameOf(Program program) { return program == Program::kEtcd ? "etcd" : "pontoon"; }

std::string PathOf(Program program) {
  if (program == Program::kEtcd) return "etcd";
  const char* other = getenv("TESTED_SERVER");
  return DataPath(other != nullptr ? other : "cmd/pontoon/pontoon");
}

std::vector<std::string> CommandLine(Program program, const Flags& flags) {
  std::vector<std::string> command{PathOf(program)};
  for (const auto& [name, value] : flags) command.push_back(absl::StrCat("--", name, "=", value));
  return command;
}

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {
  for (int i = 0; i < options_.node_count; ++i) AddNode();
}

int Cluster::AddNode() {
  auto node = std::make_unique<Node>();
  node->name = absl::StrCat("node", size() + 1);
  node->data = folder_.path() / node->name;
  node->log = folder_.path() / (node->name + ".log");
  const std::string address = node->client_port.address();
  node->client = std::make_unique<Client>(address);
  node->prober = std::make_unique<Client>(address, ClientOptions{.timeout = kProbeTimeout});
  nodes_.push_back(std::move(node));
  return size() - 1;
}

Cluster::~Cluster() {
  KillAll();
  if (::testing::Test::HasFailure()) PrintLogs();
}

Flags Cluster::FlagsOf(int node) const {
  std::vector<std::string> members;
  const bool founder = node < options_.node_count;
  const Node& self = *nodes_.at(node);
  for (int i = 0; i < size(); ++i) {
    if (i >= options_.node_count && i != node) continue;
    members.push_back(absl::StrCat(nodes_[i]->name, "=", nodes_[i]->peer_port.url()));
  }
  Flags flags = {
      {"name", self.name},
      {"data-dir", self.data},
      {"listen-client-urls", self.client_port.url()},
      {"advertise-client-urls", self.client_port.url()},
      {"listen-peer-urls", self.peer_port.url()},
      {"initial-advertise-peer-urls", self.peer_port.url()},
      {"initial-cluster", absl::StrJoin(members, ",")},
      {"initial-cluster-state", founder ? "new" : "existing"},
      {"initial-cluster-token", "integration-test"},
      {"heartbeat-interval", Milliseconds(options_.heartbeat_interval)},
      {"election-timeout", Milliseconds(options_.election_timeout)},
  };
  for (const auto& [name, value] : options_.extra_flags) flags[name] = value;
  return flags;
}

absl::Status Cluster::Start(int node) { return StartWith(node, FlagsOf(node)); }

absl::Status Cluster::StartWith(int node, const Flags& flags) {
  Node& n = *nodes_.at(node);
  CHECK(n.process == nullptr) << n.name << " runs already";
  ProcessOptions process;
  process.argv = CommandLine(options_.program, flags);
  process.stdout_path = n.log;
  process.stderr_path = n.log;
  absl::StatusOr<std::unique_ptr<Process>> started = Process::Start(process);
  if (!started.ok()) return started.status();
  n.process = *std::move(started);
  n.paused = false;
  n.stopping = false;
  return absl::OkStatus();
}

absl::Status Cluster::StartAll() {
  for (int node : AllNodes()) {
    if (nodes_[node]->process != nullptr) continue;
    if (absl::Status started = Start(node); !started.ok()) return started;
  }
  return WaitForLeader().status();
}

void Cluster::BeginStop(int node) {
  Node& n = *nodes_.at(node);
  CHECK(n.process != nullptr) << n.name << " does not run";
  // Once only: a second SIGTERM tells a server not to take the time for a clean stop.
  if (!std::exchange(n.stopping, true)) n.process->Signal(SIGTERM);
}

absl::StatusOr<ExitStatus> Cluster::Stop(int node) {
  BeginStop(node);
  return AwaitEnd(node);
}

absl::StatusOr<ExitStatus> Cluster::StopAtOnce(int node) {
  BeginStop(node);
  Node& n = *nodes_.at(node);
  const absl::Time deadline = absl::Now() + kPatience;
  while (!n.process->WaitForExit(kImpatience) && absl::Now() < deadline) n.process->Signal(SIGINT);
  return AwaitEnd(node);
}

absl::StatusOr<ExitStatus> Cluster::AwaitEnd(int node) {
  Node& n = *nodes_.at(node);
  CHECK(n.process != nullptr) << n.name << " does not run";
  const std::optional<ExitStatus> exit = n.process->WaitForExit(kPatience);
  if (!exit) return absl::DeadlineExceededError(n.name + " does not end");
  n.process = nullptr;
  return *exit;
}

void Cluster::LimitFileSize(int node, size_t bytes) {
  Node& n = *nodes_.at(node);
  CHECK(n.process != nullptr) << n.name << " does not run";
  const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
  CHECK_EQ(prlimit(n.process->pid(), RLIMIT_FSIZE, &limit, nullptr), 0) << n.name;
}

void Cluster::Kill(const std::vector<int>& nodes) {
  for (int node : nodes) {
    if (nodes_.at(node)->process != nullptr) nodes_[node]->process->Signal(SIGKILL);
  }
  for (int node : nodes) {
    nodes_[node]->process = nullptr;  // waits for its end
    nodes_[node]->paused = false;
  }
}

void Cluster::Pause(int node) {
  Node& n = *nodes_.at(node);
  CHECK(n.process != nullptr) << n.name << " does not run";
  n.process->Signal(SIGSTOP);
  n.paused = true;
}

void Cluster::Continue(int node) {
  Node& n = *nodes_.at(node);
  CHECK(n.paused) << n.name << " is not paused";
  n.process->Signal(SIGCONT);
  n.paused = false;
}

absl::Status Cluster::CheckAllAlive() const {
  for (const auto& node : nodes_) {
    if (node->process == nullptr) continue;
    const std::optional<ExitStatus> exit = node->process->WaitForExit(absl::ZeroDuration());
    if (!exit) continue;
    std::ostringstream message;
    message << node->name << " ended by itself, " << *exit << ":\n" << LastLines(node->log, 5);
    return absl::AbortedError(message.str());
  }
  return absl::OkStatus();
}

std::optional<int> Cluster::AgreedLeader() {
  std::optional<uint64_t> leader_id;
  std::optional<uint64_t> term;
  std::optional<int> leader;
  for (int i = 0; i < size(); ++i) {
    if (!Awake(*nodes_[i])) continue;
    const Answer<etcdserverpb::StatusResponse> status = nodes_[i]->prober->Status();
    if (!status.ok()) return std::nullopt;
    const bool agrees = status.response.leader() == leader_id.value_or(status.response.leader()) &&
                        status.response.raftterm() == term.value_or(status.response.raftterm());
    // A linearizable read of a node without a leader waits for one, or for the timeout.
    if (status.response.leader() == 0 || !agrees) {
      nodes_[i]->prober->Get("x");
      return std::nullopt;
    }
    leader_id = status.response.leader();
    term = status.response.raftterm();
    if (status.response.header().member_id() == *leader_id) leader = i;
  }
  return leader;
}

absl::StatusOr<int> Cluster::WaitForLeader(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  do {
    if (absl::Status alive = CheckAllAlive(); !alive.ok()) return alive;
    if (std::optional<int> leader = AgreedLeader()) return *leader;
  } while (absl::Now() < deadline);
  return absl::DeadlineExceededError("the nodes do not agree on a leader");
}

absl::Status Cluster::WaitForCatchUp(int node, absl::Duration timeout) {
  Client patient(address(node), ClientOptions{.timeout = timeout});
  const absl::Time deadline = absl::Now() + timeout;
  grpc::Status status;
  do {
    if (absl::Status alive = CheckAllAlive(); !alive.ok()) return alive;
    status = patient.Get("x").status;
    if (status.ok()) return absl::OkStatus();
  } while (absl::Now() < deadline);
  return absl::DeadlineExceededError(
      absl::StrCat(nodes_.at(node)->name, " does not catch up: ", status.error_message()));
}

absl::Status Cluster::WaitForLog(int node, const std::string& words, absl::Duration timeout) const {
  if (WaitForWords(log_file(node), words, timeout)) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(nodes_.at(node)->name, " does not log: ", words));
}

std::vector<int> Cluster::AllNodes() const { return AllNodesBut(-1); }

std::vector<int> Cluster::AllNodesBut(int node) const {
  std::vector<int> nodes;
  for (int i = 0; i < size(); ++i) {
    if (i != node) nodes.push_back(i);
  }
  return nodes;
}

std::string Cluster::Endpoints() const {
  std::vector<std::string> addresses;
  for (int node : AllNodes()) addresses.push_back(address(node));
  return absl::StrJoin(addresses, ",");
}

void Cluster::PrintLogs() const {
  for (const auto& node : nodes_) {
    std::cerr << "---- " << NameOf(options_.program) << " " << node->name << ", the end of "
              << node->log << " ----\n"
              << LastLines(node->log, kShownLinesMax);
  }
  std::cerr << "----\n";
}

}  // namespace pontoon::testing
