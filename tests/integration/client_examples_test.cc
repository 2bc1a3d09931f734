// The examples in kv/client/examples, run as their users run them.

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/eventually.h"
#include "tests/integration/files.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"

namespace pontoon::testing {
namespace {

class ClientExamplesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK(cluster_.WaitForLeader());
  }

  std::vector<std::string> Command(const std::string& example,
                                   std::vector<std::string> arguments) const {
    std::vector<std::string> command = {DataPath("kv/client/examples/" + example), "--endpoints",
                                        cluster_.Endpoints()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  // Runs on; what it prints is in Output(name).
  std::unique_ptr<Process> Start(const std::string& name, const std::vector<std::string>& command) {
    auto process =
        Process::Start({.argv = command, .stdout_path = Output(name), .stderr_path = Output(name)});
    EXPECT_OK(process);
    return *std::move(process);
  }
  std::string Output(const std::string& name) const { return folder_.path() / name; }
  bool Prints(const std::string& name, const std::string& words) const {
    return WaitForWords(Output(name), words, Cluster::kPatience);
  }
  std::string ValueOf(const std::string& key) {
    const auto got = cluster_.client(0).Get(key);
    EXPECT_OK(got);
    return got.response.kvs_size() == 1 ? got.response.kvs(0).value() : "(none)";
  }

  const TempFolder folder_;
  Cluster cluster_;
};

TEST_F(ClientExamplesTest, CounterCountsWithOthers) {
  const auto first = Start("first", Command("counter", {"--key", "visits", "--add", "200"}));
  const auto second = Start("second", Command("counter", {"--key", "visits", "--add", "100"}));
  EXPECT_TRUE(Prints("first", "added 200")) << ReadFile(Output("first"));
  EXPECT_TRUE(Prints("second", "added 100")) << ReadFile(Output("second"));
  EXPECT_EQ(ValueOf("visits"), "300");
}

TEST_F(ClientExamplesTest, CounterSaysWhatIsWrong) {
  ASSERT_OK(cluster_.client(0).Put("visits", "many"));
  ASSERT_OK_AND_ASSIGN(const CommandResult result,
                       RunCommand(Command("counter", {"--key", "visits"})));
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_EQ(result.err, "error: visits does not hold a number\n");
}

TEST_F(ClientExamplesTest, ConfigReloadFollowsEveryChange) {
  ASSERT_OK(cluster_.client(0).Put("/config/app/colour", "red"));
  const auto example =
      Start("config", Command("config_reload", {"--prefix", "/config/app/", "--changes", "3"}));
  ASSERT_TRUE(Prints("config", "/config/app/colour = red\nloaded 1 settings\n"));
  ASSERT_OK(cluster_.client(1).Put("/config/app/colour", "blue"));
  ASSERT_OK(cluster_.client(2).Put("/config/other", "not of it"));
  ASSERT_TRUE(Prints("config", "/config/app/colour = blue\n"));
  ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
  cluster_.Kill(leader);
  ASSERT_OK_AND_ASSIGN(const int next, cluster_.WaitForLeader());
  ASSERT_OK(cluster_.client(next).Put("/config/app/size", "9"));
  ASSERT_OK(cluster_.client(next).Delete("/config/app/colour"));
  EXPECT_TRUE(Prints("config", "/config/app/size = 9\n/config/app/colour removed\n"));
  EXPECT_EQ(example->WaitForExit(Cluster::kPatience), ExitStatus{.code = 0});
  EXPECT_FALSE(absl::StrContains(ReadFile(Output("config")), "other"));
}

TEST_F(ClientExamplesTest, LeaderElectionHandsOver) {
  const auto arguments = [](const std::string& id, int work) {
    return std::vector<std::string>{"--id", id, "--work", absl::StrCat(work), "--ttl", "2"};
  };
  const auto first = Start("first", Command("leader_election", arguments("one", 0)));
  ASSERT_TRUE(Prints("first", "one leads"));
  const auto second = Start("second", Command("leader_election", arguments("two", 5)));
  ASSERT_OK(cluster_.client(0).Put("job-log", "nobody"));
  ASSERT_TRUE(Eventually([&] { return absl::StartsWith(ValueOf("job-log"), "one "); }));
  EXPECT_EQ(ReadFile(Output("second")), "") << "one leads, and two waits";

  // Its lease runs out, and it goes on after that without knowing.
  first->Signal(SIGSTOP);
  ASSERT_TRUE(Prints("second", "two leads"));
  EXPECT_EQ(second->WaitForExit(Cluster::kPatience), ExitStatus{.code = 0});
  EXPECT_EQ(ValueOf("job-log"), "two 5");
  first->Signal(SIGCONT);
  EXPECT_TRUE(Prints("first", "one leads no more")) << ReadFile(Output("first"));
}

}  // namespace
}  // namespace pontoon::testing
