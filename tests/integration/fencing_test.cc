// A holder of a lock that is paused past the life of its lease, as docs/locks.md tells it.

#include <sys/stat.h>

#include <csignal>
#include <fstream>
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

// A way to say who wrote last, but only while the lock is held.
struct GuardedWrite {
  const char* name;
  const char* script;
  int code_if_lost;  // with which the script ends
};

// As etcd's clients do it, and as Pontoon's may.
constexpr GuardedWrite kWays[] = {
    {"ByComparison",
     R"(printf 'create("%s") = "%s"\n\nput guarded %s\n\n\n' )"
     R"("$PONTOON_LOCK_KEY" "$PONTOON_LOCK_TOKEN" "$NAME" | "$TOOL" txn --file -)",
     3},
    {"ByFence", R"("$TOOL" put guarded "$NAME" --fence)", 1},
};

class FencingTest : public ::testing::TestWithParam<GuardedWrite> {
 protected:
  void SetUp() override {
    ASSERT_OK(cluster_.StartAll());
    ASSERT_OK(cluster_.WaitForLeader());
    ASSERT_EQ(mkfifo(Path("go").c_str(), 0600), 0);
  }

  std::string Path(const std::string& name) const { return folder_.path() / name; }

  // Runs `script` as the holder `name` of the lock.
  std::vector<std::string> Holder(const std::string& script) const {
    return {tool_, "lock", "job", "--ttl", "2", "--", "sh", "-c", script};
  }
  std::vector<std::string> Variables(const std::string& name) const {
    return {absl::StrCat("PONTOONCTL_ENDPOINTS=", cluster_.Endpoints()),
            absl::StrCat("TOOL=", tool_), absl::StrCat("NAME=", name)};
  }

  std::string ValueOf(const std::string& key) {
    const auto got = cluster_.client(0).Get(key);
    EXPECT_OK(got);
    return got.response.kvs_size() == 1 ? got.response.kvs(0).value() : "(none)";
  }

  const std::string tool_ = DataPath("cmd/pontoonctl/pontoonctl");
  const TempFolder folder_;
  Cluster cluster_;
};

TEST_P(FencingTest, APausedHolderWritesNothingThatIsFenced) {
  const std::string guarded_write = GetParam().script;
  ProcessOptions options;
  options.argv = Holder(
      absl::StrCat("echo holds; read go < ", Path("go"), "; ", guarded_write,
                   "; echo guarded: $?; \"$TOOL\" put unguarded $NAME; read end < ", Path("go")));
  options.env = Variables("first");
  options.stdout_path = options.stderr_path = Path("first.log");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Process> first, Process::Start(options));
  const auto first_says = [&](const std::string& words) {
    return Eventually([&] { return absl::StrContains(ReadFile(Path("first.log")), words); });
  };
  ASSERT_TRUE(first_says("holds"));

  // Now nobody keeps its lease alive, and it does not know.
  first->Signal(SIGSTOP);
  ASSERT_OK_AND_ASSIGN(
      const CommandResult second,
      RunCommand({.argv = Holder(absl::StrCat(guarded_write, " && \"$TOOL\" put unguarded $NAME")),
                  .env = Variables("second")}));
  ASSERT_TRUE(second.ok()) << second.out << second.err;
  EXPECT_EQ(ValueOf("guarded"), "second");

  // It goes on where it stood.
  std::ofstream(Path("go")) << "go\n";
  ASSERT_TRUE(first_says(absl::StrCat("guarded: ", GetParam().code_if_lost)))
      << ReadFile(Path("first.log"));
  EXPECT_TRUE(Eventually([&] { return ValueOf("unguarded") == "first"; }))
      << "this is what a lock alone does not prevent";
  EXPECT_EQ(ValueOf("guarded"), "second");

  first->Signal(SIGCONT);
  const auto exit = first->WaitForExit(Cluster::kPatience);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(*exit, (ExitStatus{.code = 5})) << "the lease was lost";
}

INSTANTIATE_TEST_SUITE_P(Ways, FencingTest, ::testing::ValuesIn(kWays),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pontoon::testing
