// EtcdctlComparison: etcdctl 3.4 against Pontoon and against a real etcd-server, three nodes each.
// What is printed must be equal, line by line, once etcdctl_normaliser.h has replaced what cannot
// be (ids, ports, times, ...). Exit codes and standard error are compared too.

#ifndef PONTOON_TESTS_INTEGRATION_ETCDCTL_COMPARISON_H_
#define PONTOON_TESTS_INTEGRATION_ETCDCTL_COMPARISON_H_

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/etcdctl_normaliser.h"
#include "tests/integration/files.h"
#include "tests/integration/process.h"

namespace pontoon::testing {

// Whether the order of the lines that a command prints counts, or follows from ids or from chance.
enum class Order { kAsPrinted, kSorted };

// Which servers etcdctl is told of.
enum class Ask { kOneNode, kAllNodes };

struct Step {
  std::string words;  // of etcdctl; an argument with spaces, or an empty one, stands in '...'
  std::string input = {};
  Order order = Order::kAsPrinted;
  Ask ask = Ask::kOneNode;
};

// Splits at spaces, except within '...'.
std::vector<std::string> Words(const std::string& text);

class Side;

// An etcdctl that runs on while others do something. It is killed when the object goes.
class Session {
 public:
  // Adds to what it reads from standard input.
  void Type(const std::string& input);

  // Fails the test if it does not print this in time.
  void AwaitOutput(const std::string& text);

  // What it has printed so far on standard output, normalised.
  std::string Output() const;

  // Waits for its end. What it printed, as Side::Run gives it.
  std::string AwaitEnd();

  // The same after SIGINT, without what it then says on standard error: that depends on what it was
  // just doing.
  std::string Interrupt();

 private:
  friend class Side;
  Session(const Side& side, const Step& step, int node);

  CommandResult End();

  const Side& side_;
  const Step step_;
  const TempFolder folder_;
  std::unique_ptr<Process> process_;
  std::fstream input_;  // a pipe, which so does not end before its object
};

// A cluster with what makes its output comparable.
class Side {
 public:
  explicit Side(Program program);

  Cluster& cluster() { return cluster_; }

  void Start();

  // Lets `node` lead, as etcd's own tool does it.
  void MoveLeaderTo(int node);

  // What the step prints, normalised, and its exit code. `node` is the one that is asked.
  std::string Run(const Step& step, int node);

  // The same, of a step that prints an id, in hexadecimal, between `before` and the next space:
  // from now on it is called `name`.
  std::string RunAndName(const Step& step, int node, const std::string& before,
                         const std::string& name);

  // Begins a step that does not end soon.
  std::unique_ptr<Session> Begin(const Step& step, int node);

  // From now on `name` stands for this id, in steps and in what they print.
  void Name(const std::string& name, uint64_t id);

  // Output that was normalised before its ids had names; members in a list are sorted.
  std::string Renormalise(const std::string& output) const;

 private:
  friend class Session;

  // With what the names in it stand for: the words of a step are the same on both sides.
  std::string Resolve(std::string words) const;
  std::vector<std::string> CommandLine(const Step& step, int node) const;
  absl::StatusOr<CommandResult> RunRaw(const Step& step, int node);
  std::string Describe(const Step& step, const CommandResult& result) const;
  // Each node answers for itself, so each has to have seen what was done through another.
  void AwaitCatchUp();

  Cluster cluster_;
  const TempFolder folder_;  // for files of etcdctl: <folder>
  Normaliser normaliser_;
  std::map<std::string, std::string> names_;  // with what they stand for
};

class EtcdctlComparison : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Who leads is part of what is printed, and on a busy machine somebody else may since be elected.
  void LetTheSameNodeLead();

  // Runs the steps on both sides, each on the next node, and compares.
  void Compare(const std::vector<Step>& script);

  Side pontoon_{Program::kPontoon};
  Side etcd_{Program::kEtcd};
};

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_ETCDCTL_COMPARISON_H_
