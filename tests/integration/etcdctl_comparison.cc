#include "tests/integration/etcdctl_comparison.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/integration/eventually.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  bool in_word = false;
  bool quoted = false;
  for (char c : text) {
    if (c == ' ' && !quoted) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '\'') {
      quoted = !quoted;
    } else {
      words.back() += c;
    }
  }
  return words;
}

Session::Session(const Side& side, const Step& step, int node) : side_(side), step_(step) {
  ProcessOptions process;
  process.argv = side.CommandLine(step, node);
  process.env = {"ETCDCTL_API=3"};
  process.stdin_path = folder_.path() / "in";
  process.stdout_path = folder_.path() / "out";
  process.stderr_path = folder_.path() / "err";
  EXPECT_EQ(mkfifo(process.stdin_path.c_str(), 0600), 0);
  input_.open(process.stdin_path, std::ios::in | std::ios::out);
  absl::StatusOr<std::unique_ptr<Process>> started = Process::Start(process);
  EXPECT_OK(started);
  if (started.ok()) process_ = *std::move(started);
  Type(step.input);
}

void Session::Type(const std::string& input) { input_ << input << std::flush; }

void Session::AwaitOutput(const std::string& text) {
  const auto printed = [&] { return absl::StrContains(Output(), text); };
  Eventually([&] { return printed() || process_ == nullptr || !process_->Running(); });
  EXPECT_TRUE(printed()) << "$ etcdctl " << step_.words << "\nhas not printed " << text << " but\n"
                         << Output() << ReadFile(folder_.path() / "err");
}

std::string Session::Output() const {
  return side_.normaliser_.Apply(ReadFile(folder_.path() / "out"));
}

std::string Session::Interrupt() {
  if (process_ != nullptr) process_->Signal(SIGINT);
  CommandResult result = End();
  result.err.clear();
  return side_.Describe(step_, result);
}

std::string Session::AwaitEnd() { return side_.Describe(step_, End()); }

CommandResult Session::End() {
  std::optional<ExitStatus> exit;
  if (process_ != nullptr) exit = process_->WaitForExit(Cluster::kPatience);
  EXPECT_TRUE(exit.has_value()) << "$ etcdctl " << step_.words << "\nstill runs";
  return CommandResult{exit.value_or(ExitStatus()), ReadFile(folder_.path() / "out"),
                       ReadFile(folder_.path() / "err")};
}

Side::Side(Program program) : cluster_(ClusterOptions{.program = program}) {}

void Side::Start() {
  ASSERT_OK(cluster_.StartAll());
  names_["<folder>"] = folder_.path();
  normaliser_.Replace(folder_.path(), "<folder>");
  for (int node : cluster_.AllNodes()) {
    const std::string number = absl::StrCat(node + 1);
    names_["<client" + number + ">"] = cluster_.address(node);
    normaliser_.Replace(cluster_.address(node), "<client" + number + ">");
    names_["<peer" + number + ">"] = cluster_.peer_url(node);
    normaliser_.Replace(cluster_.peer_url(node), "http://<peer" + number + ">");
    const auto status = cluster_.client(node).Status();
    ASSERT_OK(status);
    Name("<member" + number + ">", status.response.header().member_id());
    if (node == 0) normaliser_.ReplaceId(status.response.header().cluster_id(), "<cluster>");
  }
}

void Side::MoveLeaderTo(int node) {
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  if (leader == node) return;
  const std::string result =
      Run({.words = absl::StrCat("move-leader <member", node + 1, ">")}, leader);
  ASSERT_OK_AND_ASSIGN(const int new_leader, cluster_.WaitForLeader());
  ASSERT_EQ(new_leader, node) << result;
}

void Side::Name(const std::string& name, uint64_t id) {
  names_[name] = absl::StrCat(absl::Hex(id));
  normaliser_.ReplaceId(id, name);
}

std::string Side::Resolve(std::string words) const {
  for (const auto& [name, meaning] : names_) {
    words = absl::StrReplaceAll(words, {{name, meaning}});
  }
  return words;
}

std::string Side::Renormalise(const std::string& output) const {
  std::vector<std::string> lines = absl::StrSplit(normaliser_.Apply(output), '\n');
  for (std::string& line : lines) {
    constexpr absl::string_view kList = "ETCD_INITIAL_CLUSTER=\"";
    if (!absl::StartsWith(line, kList) || !absl::EndsWith(line, "\"")) continue;
    std::vector<std::string> members =
        absl::StrSplit(line.substr(kList.size(), line.size() - kList.size() - 1), ',');
    std::sort(members.begin(), members.end());
    line = absl::StrCat(kList, absl::StrJoin(members, ","), "\"");
  }
  return absl::StrJoin(lines, "\n");
}

std::vector<std::string> Side::CommandLine(const Step& step, int node) const {
  std::vector<std::string> command = {
      "etcdctl", "--endpoints",
      step.ask == Ask::kAllNodes ? cluster_.Endpoints() : cluster_.address(node)};
  for (std::string& word : Words(Resolve(step.words))) command.push_back(std::move(word));
  return command;
}

void Side::AwaitCatchUp() {
  for (int each : cluster_.AllNodes()) EXPECT_OK(cluster_.WaitForCatchUp(each));
}

absl::StatusOr<CommandResult> Side::RunRaw(const Step& step, int node) {
  AwaitCatchUp();
  CommandOptions command;
  command.argv = CommandLine(step, node);
  command.env = {"ETCDCTL_API=3"};
  command.input = step.input;
  return RunCommand(command);
}

std::string Side::Describe(const Step& step, const CommandResult& result) const {
  const auto arrange = [&](const std::string& output) {
    const std::string normalised = normaliser_.Apply(output);
    return step.order == Order::kSorted ? SortLines(normalised) : normalised;
  };
  return absl::StrCat("-- out:\n", arrange(result.out), "-- err:\n", arrange(result.err),
                      "-- exit code ", result.exit.code.value_or(-1), "\n");
}

std::string Side::Run(const Step& step, int node) {
  const absl::StatusOr<CommandResult> result = RunRaw(step, node);
  return result.ok() ? Describe(step, *result) : result.status().ToString();
}

std::string Side::RunAndName(const Step& step, int node, const std::string& before,
                             const std::string& name) {
  const absl::StatusOr<CommandResult> result = RunRaw(step, node);
  if (!result.ok()) return result.status().ToString();
  const std::vector<std::string> parts = absl::StrSplit(result->out, absl::MaxSplits(before, 1));
  const std::vector<std::string> words = absl::StrSplit(parts.back(), absl::MaxSplits(' ', 1));
  uint64_t id = 0;
  EXPECT_TRUE(parts.size() == 2 && absl::SimpleHexAtoi(words[0], &id))
      << "no id in " << result->out << result->err;
  Name(name, id);
  return Describe(step, *result);
}

std::unique_ptr<Session> Side::Begin(const Step& step, int node) {
  AwaitCatchUp();
  return std::unique_ptr<Session>(new Session(*this, step, node));
}

void EtcdctlComparison::SetUp() {
  pontoon_.Start();
  etcd_.Start();
  if (HasFatalFailure()) return;
  LetTheSameNodeLead();
}

void EtcdctlComparison::TearDown() {
  EXPECT_OK(pontoon_.cluster().WaitForLeader());
  EXPECT_OK(etcd_.cluster().WaitForLeader());
}

void EtcdctlComparison::LetTheSameNodeLead() {
  ASSERT_OK_AND_ASSIGN(const int leader, pontoon_.cluster().WaitForLeader());
  etcd_.MoveLeaderTo(leader);
}

void EtcdctlComparison::Compare(const std::vector<Step>& script) {
  int node = 0;
  for (const Step& step : script) {
    const bool names_leader =
        absl::StartsWith(step.words, "endpoint") || absl::StartsWith(step.words, "move-leader");
    if (names_leader) LetTheSameNodeLead();
    const std::string want = etcd_.Run(step, node);
    EXPECT_EQ(pontoon_.Run(step, node), want) << "$ etcdctl " << step.words << "\n" << step.input;
    node = (node + 1) % pontoon_.cluster().size();
  }
}

}  // namespace pontoon::testing
