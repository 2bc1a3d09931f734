// A real configuration tree, the time zones of Debian's tzdata, goes into a cluster whose leader is
// killed twice meanwhile, and comes out of each node byte for byte.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/cluster.h"
#include "tests/integration/files.h"
#include "tests/integration/process.h"
#include "tests/integration/status_asserts.h"
#include "tests/integration/tool.h"

namespace pontoon::testing {
namespace {

constexpr char kSource[] = "/usr/share/zoneinfo";
constexpr char kPrefix[] = "/config/zoneinfo/";

std::vector<std::string> Tool(const std::string& endpoints, std::vector<std::string> words) {
  words.insert(words.begin(), {"--endpoints", endpoints});
  return ToolCommand(std::move(words));
}

class ZoneinfoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GT(source_.size(), 1000u) << "is the package tzdata installed?";
    ASSERT_OK(cluster_.StartAll());
  }

  void BeginImport() {
    ProcessOptions options;
    options.argv = Tool(cluster_.Endpoints(), {"import", kSource, kPrefix});
    options.stdout_path = folder_.path() / "import.log";
    options.stderr_path = options.stdout_path;
    ASSERT_OK_AND_ASSIGN(import_, Process::Start(options));
  }

  void EndImport() {
    const std::optional<ExitStatus> exit = import_->WaitForExit(absl::Minutes(1));
    ASSERT_TRUE(exit.has_value()) << "the import does not end";
    EXPECT_EQ(*exit, (ExitStatus{.code = 0})) << ReadFile(folder_.path() / "import.log");
  }

  // The number of keys that some node that runs has by now.
  int64_t ImportedCount() {
    etcdserverpb::RangeRequest request = PrefixRange(kPrefix, ReadMode::kSerializable);
    request.set_count_only(true);
    int64_t count = 0;
    for (int node : cluster_.AllNodes()) {
      if (!cluster_.Runs(node)) continue;
      const auto answer = cluster_.client(node).Range(request);
      if (answer.ok()) count = std::max(count, answer.response.count());
    }
    return count;
  }

  // Kills the leader in the middle of the import, when `share` of all files are there. The import
  // stands still while the cluster is made whole, so that it cannot be over before the kill; the
  // whole time without a leader is in it.
  void KillLeaderWhenImported(double share) {
    const auto all = static_cast<int64_t>(source_.size());
    const auto wanted = static_cast<int64_t>(share * static_cast<double>(all));
    const absl::Time deadline = absl::Now() + Cluster::kPatience;
    while (ImportedCount() < wanted) ASSERT_LT(absl::Now(), deadline) << "the import stands still";
    import_->Signal(SIGSTOP);
    ASSERT_TRUE(import_->Running()) << "the import was over before the leader was killed";
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK_AND_ASSIGN(const int leader, cluster_.WaitForLeader());
    EXPECT_LT(ImportedCount(), all);
    import_->Signal(SIGCONT);
    cluster_.Kill(leader);
  }

  // Exports from one node, and compares with the source.
  void ExpectExportEqualsSource(int node, std::vector<std::string> flags) {
    const std::filesystem::path target =
        folder_.path() / absl::StrCat("export-", node, "-", flags.size());
    std::vector<std::string> words = {"export", kPrefix, target};
    words.insert(words.end(), flags.begin(), flags.end());
    ASSERT_OK_AND_ASSIGN(const CommandResult result,
                         RunCommand(Tool(cluster_.address(node), words)));
    EXPECT_EQ(result.exit, (ExitStatus{.code = 0})) << result.err;
    EXPECT_EQ(DifferenceOf(source_, ReadTree(target)), "") << "on node " << node;
  }

  const TempFolder folder_;
  const std::map<std::string, std::string> source_ = ReadTree(kSource);
  Cluster cluster_;
  std::unique_ptr<Process> import_;
};

TEST_F(ZoneinfoTest, SurvivesTwoKillsOfTheLeaderByteForByte) {
  BeginImport();
  KillLeaderWhenImported(0.2);
  KillLeaderWhenImported(0.6);
  EndImport();
  ASSERT_OK(cluster_.StartAll());
  for (int node : cluster_.AllNodes()) {
    ASSERT_OK(cluster_.WaitForCatchUp(node));
    ExpectExportEqualsSource(node, {"--serializable"});
    ExpectExportEqualsSource(node, {});
  }
}

TEST_F(ZoneinfoTest, SecondImportWritesNothing) {
  BeginImport();
  EndImport();
  const auto before = cluster_.client(0).Get("x");
  ASSERT_OK(before);
  BeginImport();
  EndImport();
  EXPECT_EQ(cluster_.client(0).Get("x").response.header().revision(),
            before.response.header().revision());
}

}  // namespace
}  // namespace pontoon::testing
