// Runs each scenario in testdata/ as one test. To write what happens now into the files:
//
//   bazel run //raft/core:scenario_test -- --update

#include "raft/core/testing/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pontoon::raft {
namespace {

namespace fs = std::filesystem;

constexpr char kFolder[] = "raft/core/testdata";

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The lines around the first place where the texts differ, in the manner of a diff.
std::string FirstDifference(const std::string& expected, const std::string& actual) {
  const std::vector<std::string> before = absl::StrSplit(expected, '\n');
  const std::vector<std::string> now = absl::StrSplit(actual, '\n');
  size_t same = 0;
  while (same < before.size() && same < now.size() && before[same] == now[same]) ++same;
  // The ends may agree again.
  size_t tail = 0;
  while (tail < before.size() - same && tail < now.size() - same &&
         before[before.size() - 1 - tail] == now[now.size() - 1 - tail]) {
    ++tail;
  }
  constexpr size_t kContext = 12;
  constexpr size_t kLines = 40;
  std::string diff = absl::StrCat("@@ line ", same + 1, "\n");
  for (size_t i = same - std::min(same, kContext); i < same; ++i) {
    absl::StrAppend(&diff, "  ", before[i], "\n");
  }
  for (size_t i = same; i < std::min(before.size() - tail, same + kLines); ++i) {
    absl::StrAppend(&diff, "- ", before[i], "\n");
  }
  for (size_t i = same; i < std::min(now.size() - tail, same + kLines); ++i) {
    absl::StrAppend(&diff, "+ ", now[i], "\n");
  }
  return diff;
}

class ScenarioTest : public ::testing::Test {
 public:
  explicit ScenarioTest(fs::path path) : path_(std::move(path)) {}

  void TestBody() override {
    const std::string expected = ReadAll(path_);
    const Scenario::Outcome outcome = Scenario::Run(expected);
    EXPECT_FALSE(outcome.failure) << path_ << " " << *outcome.failure;
    EXPECT_TRUE(outcome.text == expected) << path_ << "\n"
                                          << FirstDifference(expected, outcome.text);
  }

 private:
  const fs::path path_;
};

std::vector<fs::path> ScenarioFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".txt") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

int Update() {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const fs::path folder = workspace ? fs::path(workspace) / kFolder : fs::path(kFolder);
  int failures = 0;
  for (const fs::path& path : ScenarioFiles(folder)) {
    const std::string before = ReadAll(path);
    const Scenario::Outcome outcome = Scenario::Run(before);
    if (outcome.failure) {
      std::cerr << path << " " << *outcome.failure << "\n";
      ++failures;
    }
    if (outcome.text == before) continue;
    if (!outcome.failure) std::ofstream(path) << outcome.text;
    std::cout << path << (outcome.failure ? " left alone\n" : " updated\n");
  }
  return failures == 0 ? 0 : 1;
}

void Register() {
  for (const fs::path& path : ScenarioFiles(kFolder)) {
    ::testing::RegisterTest("Scenario", path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [path]() -> ScenarioTest* { return new ScenarioTest(path); });
  }
}

}  // namespace
}  // namespace pontoon::raft

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::string(argv[1]) == "--update") return pontoon::raft::Update();
  pontoon::raft::Register();
  return RUN_ALL_TESTS();
}
