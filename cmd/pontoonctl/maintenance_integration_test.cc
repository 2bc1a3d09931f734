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
using ::testing::AnyOf;
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
  EXPECT_THAT(status["format"], AnyOf("etcd (bbolt)", "pontoon")) << "as the server is";
  EXPECT_EQ(status["bytes"], fs::file_size(file));

  std::string bytes = ReadFile(file);
  bytes[bytes.size() / 2] ^= 1;
  WriteFile(file, bytes);
  const Result damaged = Execute({"snapshot", "status", file});
  EXPECT_EQ(damaged.code, ExitCode::kFailed);
  // Of a Pontoon's each block has a checksum, too.
  EXPECT_THAT(damaged.err, AnyOf(HasSubstr("the SHA-256 at its end is not that of the rest"),
                                 HasSubstr("the snapshot cannot be used: ")));
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

TEST_F(MaintenanceTest, AMemberThatIsAloneLacksNothing) {
  const auto rows = nlohmann::json::parse(Out({"lag", "--output", "json"}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["endpoint"], source_->endpoints());
  EXPECT_EQ(rows[0]["role"], "leader");
  EXPECT_EQ(rows[0]["lag"], 0);
  // An etcd proves nothing.
  EXPECT_THAT(std::string(rows[0]["follower_read"]), HasSubstr("; lacks nothing that is known"));
}

TEST_F(MaintenanceTest, SessionsAreOfOneCluster) {
  const fs::path session = FreshFolder("session") / "token";
  Out({"put", "session/k", "1", "--session", session});
  const std::string token = ReadFile(session);
  EXPECT_EQ(Out({"get", "session/k", "--print-value-only", "--session", session}), "1\n");
  EXPECT_EQ(ReadFile(session), token);
  const Result refused =
      RunAt(target_->endpoints(), {"put", "session/k", "1", "--session", session});
  EXPECT_EQ(refused.code, ExitCode::kFailed);
  EXPECT_THAT(refused.err, HasSubstr("give the endpoints of the former, or another file"));
  EXPECT_EQ(ReadFile(session), token);
  EXPECT_EQ(TargetOut({"get", "session/k"}), "");
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
                "[[ $(complete_to pontoonctl get k --time) == --timeout ]] || exit 4\n"
                "[[ $(complete_to pontoonctl check datas) == datascale ]] || exit 5\n"
                "[[ $(complete_to pontoonctl check datascale --m) == --metrics-endpoint ]] ||\n"
                "  exit 6\n"
                "[[ $(complete_to pontoonctl la) == lag ]] || exit 7\n"
                "[[ $(complete_to pontoonctl txn --ses) == --session ]] || exit 8\n");
  auto bash = ChildProcess::Start({"bash", script}, {});
  ASSERT_TRUE(bash.ok());
  EXPECT_EQ((*bash)->Wait(), 0);
  EXPECT_THAT(Out({"completion", "zsh"}), HasSubstr("bashcompinit\n"));
}

TEST_F(MaintenanceTest, AMirrorMakesTheTargetEqualOnce) {
  for (int i = 0; i < 250; ++i) Out({"put", absl::StrCat("m1/", i), absl::StrCat("value ", i)});
  Out({"put", "m2", "outside of the prefix"});
  const std::vector<std::string> mirror = {"mirror",   "--target", target_->endpoints(),
                                           "--prefix", "m1/",      "--dest-prefix",
                                           "copy1/",   "--once"};
  EXPECT_THAT(Out(mirror), StartsWith("put 250, deleted 0, equal 0, revision "));
  EXPECT_EQ(TargetOut({"get", "copy1/", "--prefix", "--count-only"}), "250\n");
  EXPECT_EQ(TargetOut({"get", "copy1/77"}), "copy1/77\nvalue 77\n");
  EXPECT_EQ(TargetOut({"get", "m1/", "--prefix"}), "");

  // What the source has not is kept, until the user says that it may go.
  Out({"del", "m1/77"});
  Out({"put", "m1/88", "other"});
  const Result refused = Execute(mirror);
  EXPECT_EQ(refused.code, ExitCode::kFailed);
  EXPECT_THAT(refused.err, HasSubstr("the target has \"copy1/77\", which the source has not"));
  std::vector<std::string> deleting = mirror;
  deleting.push_back("--delete");
  EXPECT_THAT(Out(deleting), AllOf(StartsWith("put "), HasSubstr(", deleted 1, equal ")));
  EXPECT_EQ(TargetOut({"get", "copy1/77"}), "");
  EXPECT_EQ(TargetOut({"get", "copy1/88", "--print-value-only"}), "other\n");
}

// Waits until the target has the key with the value.
void AwaitAt(const TestCluster& target, const std::string& key, const std::string& value) {
  while (OutAt(target.endpoints(), {"get", key, "--print-value-only"}) != value + "\n") {
  }
}

TEST_F(MaintenanceTest, AMirrorFollowsAndGoesOnWhereItWas) {
  const std::string checkpoint = FreshFolder("mirror") / "checkpoint";
  const std::vector<std::string> arguments = {
      "mirror", "--target", target_->endpoints(), "--prefix", "m3/", "--checkpoint", checkpoint};
  Out({"put", "m3/a", "1"});
  Out({"put", "m3/b", "1"});
  {
    Background mirror(source_->endpoints(), arguments);
    AwaitAt(*target_, "m3/a", "1");
    Out({"del", "m3/b"});
    // One revision here is one there.
    const Result both =
        RunAt(source_->endpoints(), {"txn", "--file", "-"}, "\nput m3/c 2\nput m3/d 2\n\n\n");
    EXPECT_EQ(both.code, ExitCode::kOk) << both.err;
    AwaitAt(*target_, "m3/d", "2");
    const auto kvs =
        nlohmann::json::parse(TargetOut({"get", "m3/c", "m3/e", "--output", "json"}))["kvs"];
    ASSERT_EQ(kvs.size(), 2u);
    EXPECT_EQ(kvs[0]["mod_revision"], kvs[1]["mod_revision"]);
    EXPECT_EQ(TargetOut({"get", "m3/b"}), "");
    mirror.Signal(SIGINT);
    EXPECT_EQ(mirror.Wait(), 0);
    EXPECT_THAT(mirror.ReadLine(), StartsWith("put 4, deleted 1, equal 0, revision "));
  }
  // While nobody mirrors: only what happened is done.
  Out({"put", "m3/a", "3"});
  {
    Background mirror(source_->endpoints(), arguments);
    AwaitAt(*target_, "m3/a", "3");
    mirror.Signal(SIGINT);
    EXPECT_EQ(mirror.Wait(), 0);
    EXPECT_THAT(mirror.ReadLine(), StartsWith("put 1, deleted 0, equal 0, revision "));
  }
  // And where the history is gone: what is gone goes.
  Out({"del", "m3/c"});
  Out({"put", "m3/z", "4"});
  const auto last = nlohmann::json::parse(Out({"put", "m3/a", "4", "--output", "json"}));
  Out({"compact", last["header"]["revision"]});
  {
    Background mirror(source_->endpoints(), arguments);
    AwaitAt(*target_, "m3/z", "4");
    mirror.Signal(SIGINT);
    EXPECT_EQ(mirror.Wait(), 0);
    EXPECT_THAT(mirror.ReadLine(), StartsWith("put 2, deleted 1, equal 1, revision "));
    EXPECT_THAT(mirror.err(), HasSubstr("has been compacted: comparing all keys anew"));
  }
  EXPECT_EQ(TargetOut({"get", "m3/", "--prefix", "--keys-only"}), "m3/a\nm3/d\nm3/z\n");

  std::vector<std::string> other = arguments;
  other.insert(other.end(), {"--dest-prefix", "m4/"});
  EXPECT_THAT(Execute(other).err, HasSubstr("is the checkpoint of another mirror"));
}

TEST_F(MaintenanceTest, AMirrorIntoItselfIsRefused) {
  const Result result = Execute(
      {"mirror", "--target", source_->endpoints(), "--prefix", "m5/", "--dest-prefix", "m5/copy/"});
  EXPECT_EQ(result.code, ExitCode::kUsage);
  EXPECT_THAT(result.err, HasSubstr("source and target are the same cluster"));
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
