#include "cmd/pontoonctl/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace pontoon::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CommandTree Program() {
  return {.name = "tool",
          .flags = {{"--endpoints", true}, {"--help"}},
          .commands = {{.name = "get", .flags = {{"--limit", true}, {"--prefix"}}},
                       {.name = "member",
                        .commands = {{.name = "add", .flags = {{"--learner"}}}, {.name = "list"}}},
                       {.name = "put"}}};
}

// What bash completes the last of `words` to.
std::vector<std::string> Completed(const std::vector<std::string>& words) {
  const std::string file = absl::StrCat(::testing::TempDir(), "/completion_test.bash");
  std::ofstream(file) << BashCompletion(Program()) << "COMP_WORDS=('" << absl::StrJoin(words, "' '")
                      << "')\nCOMP_CWORD=" << words.size() - 1
                      << "\n_tool\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const std::unique_ptr<FILE, int (*)(FILE*)> bash(
      popen(absl::StrCat("bash --norc ", file, " 2>&1").c_str(), "r"), pclose);
  std::string output;
  char line[4096];
  while (fgets(line, sizeof(line), bash.get()) != nullptr) output += line;
  return absl::StrSplit(output, '\n', absl::SkipEmpty());
}

TEST(Completion, CompletesCommands) {
  EXPECT_THAT(Completed({"tool", ""}), ElementsAre("get", "member", "put"));
  EXPECT_THAT(Completed({"tool", "m"}), ElementsAre("member"));
  EXPECT_THAT(Completed({"tool", "member", ""}), ElementsAre("add", "list"));
  EXPECT_THAT(Completed({"tool", "member", "l"}), ElementsAre("list"));
}

TEST(Completion, CompletesFlagsOfTheCommandAndOfAllAboveIt) {
  EXPECT_THAT(Completed({"tool", "-"}), ElementsAre("--endpoints", "--help"));
  EXPECT_THAT(Completed({"tool", "get", "--"}),
              ElementsAre("--endpoints", "--help", "--limit", "--prefix"));
  EXPECT_THAT(Completed({"tool", "get", "key", "--p"}), ElementsAre("--prefix"));
  EXPECT_THAT(Completed({"tool", "member", "add", "--l"}), ElementsAre("--learner"));
}

TEST(Completion, IsNotMisledByValuesAndArguments) {
  EXPECT_THAT(Completed({"tool", "--endpoints", "member", "g"}), ElementsAre("get"));
  EXPECT_THAT(Completed({"tool", "--help", "member", ""}), ElementsAre("add", "list"));
  EXPECT_THAT(Completed({"tool", "get", "--limit", "member", ""}), IsEmpty());
  EXPECT_THAT(Completed({"tool", "get", "--", "--"}), IsEmpty());
}

}  // namespace
}  // namespace pontoon::ctl
