// Snapshots, hashes, mirrors and the like against real servers: for the time being those of
// etcd 3.4 only. Pontoon has no Watch service and no snapshots for clients yet; where it has, these
// tests are to run against it as well (PONTOONCTL_TEST_SERVER).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/integration.h"
#include "cmd/pontoonctl/test_server.h"

namespace pontoon::ctl {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Two clusters of one server each for all tests; each uses keys of its own.
class MaintenanceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    source_ = new TestCluster(FreshFolder("source-cluster"), 1);
    target_ = new TestCluster(FreshFolder("target-cluster"), 1);
    for (const TestCluster* cluster : {source_, target_}) {
      const Result ready = RunAt(cluster->endpoints(), {"--timeout", kPatience, "get", "ready"});
      ASSERT_EQ(ready.code, ExitCode::kOk) << ready.err;
    }
  }
  static void TearDownTestSuite() {
    delete source_;
    delete target_;
    source_ = target_ = nullptr;
  }

  static Result Execute(const std::vector<std::string>& arguments) {
    return RunAt(source_->endpoints(), arguments);
  }
  static std::string Out(const std::vector<std::string>& arguments) {
    return OutAt(source_->endpoints(), arguments);
  }
  static std::string TargetOut(const std::vector<std::string>& arguments) {
    return OutAt(target_->endpoints(), arguments);
  }

  static TestCluster* source_;
  static TestCluster* target_;
};

TestCluster* MaintenanceTest::source_ = nullptr;
TestCluster* MaintenanceTest::target_ = nullptr;

TEST_F(MaintenanceTest, ASnapshotIsSavedAndChecked) {
  const fs::path file = FreshFolder("snapshot") / "db";
  const auto saved = nlohmann::json::parse(Out({"snapshot", "save", file, "--output", "json"}));
  EXPECT_EQ(saved["bytes"], fs::file_size(file));
  EXPECT_FALSE(fs::exists(file.string() + ".part"));
  const auto status = nlohmann::json::parse(Out({"snapshot", "status", file, "--output", "json"}));
  EXPECT_EQ(status["format"], "etcd (bbolt)");
  EXPECT_EQ(status["bytes"], fs::file_size(file));

  std::string bytes = ReadFile(file);
  bytes[bytes.size() / 2] ^= 1;
  WriteFile(file, bytes);
  const Result damaged = Execute({"snapshot", "status", file});
  EXPECT_EQ(damaged.code, ExitCode::kFailed);
  EXPECT_THAT(damaged.err, HasSubstr("the SHA-256 at its end is not that of the rest"));
}

TEST_F(MaintenanceTest, ASnapshotThatCannotBeTakenLeavesNothing) {
  const fs::path folder = FreshFolder("no-snapshot");
  const Result nobody = RunAt("127.0.0.1:1", {"snapshot", "save", folder / "db"});
  EXPECT_EQ(nobody.code, ExitCode::kFailed);
  EXPECT_THAT(nobody.err, HasSubstr("cannot connect to 127.0.0.1:1: Connection refused"));
  EXPECT_TRUE(fs::is_empty(folder));
  EXPECT_THAT(Execute({"snapshot", "save", folder / "no" / "db"}).err, HasSubstr("No such file"));
  EXPECT_THAT(Execute({"snapshot", "status", folder / "db"}).err, HasSubstr("No such file"));
}

TEST_F(MaintenanceTest, AlarmsDefragmentationAndHealthOfAServerInOrder) {
  EXPECT_EQ(Out({"alarm", "list"}), "");
  EXPECT_EQ(Out({"alarm", "disarm"}), "");
  EXPECT_EQ(Out({"--timeout", kPatience, "defrag"}),
            absl::StrCat("defragmented ", source_->endpoints(), "\n"));
  const auto rows = nlohmann::json::parse(Out({"check", "health", "--output", "json"}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["health"], "healthy");
  EXPECT_EQ(rows[0]["alarms"], "");
  const Result nobody = RunAt("127.0.0.1:1", {"check", "health", "--timeout", "1s"});
  EXPECT_EQ(nobody.code, ExitCode::kFailed);
  EXPECT_THAT(nobody.err, HasSubstr("1 of 1 not in order"));
}

TEST_F(MaintenanceTest, TheCompletionKnowsAllCommands) {
  const fs::path script = FreshFolder("completion") / "script";
  WriteFile(script,
            Out({"completion", "bash"}) +
                "complete_to() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=()\n"
                "_pontoonctl; echo \"${COMPREPLY[*]}\"; }\n"
                "[[ $(complete_to pontoonctl lease k) == keep-alive ]] || exit 1\n"
                "[[ $(complete_to pontoonctl mirror --onc) == --once ]] || exit 2\n"
                "[[ $(complete_to pontoonctl --endpoints lock wat) == watch ]] || exit 3\n"
                "[[ $(complete_to pontoonctl get k --time) == --timeout ]] || exit 4\n");
  auto bash = ChildProcess::Start({"bash", script}, {});
  ASSERT_TRUE(bash.ok());
  EXPECT_EQ((*bash)->Wait(), 0);
  EXPECT_THAT(Out({"completion", "zsh"}), HasSubstr("bashcompinit\n"));
}

TEST(ThreeServersMaintenanceTest, HashesOfMembersAreEqual) {
  TestCluster cluster(FreshFolder("hashed"), 3);
  ASSERT_EQ(RunAt(cluster.endpoints(), {"--timeout", kPatience, "put", "k", "1"}).code,
            ExitCode::kOk);
  const Result result =
      RunAt(cluster.endpoints(), {"hash", "--output", "json", "--timeout", "10s"});
  EXPECT_EQ(result.code, ExitCode::kOk) << result.err << result.out;
  const auto rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["hash"], rows[1]["hash"]);
  cluster.Kill(2);
  const Result partial = RunAt(cluster.endpoints(), {"hash", "--timeout", "2s"});
  EXPECT_EQ(partial.code, ExitCode::kFailed);
  EXPECT_THAT(partial.err, HasSubstr("not all could be compared"));
}

}  // namespace
}  // namespace pontoon::ctl
