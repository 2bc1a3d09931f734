#include "cmd/pontoonctl/integration.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "cmd/pontoonctl/command_line.h"
#include "raft/base/check.h"

namespace pontoon::ctl {
namespace {

namespace fs = std::filesystem;

// Among the files that the test is run with.
constexpr char kProgram[] = "cmd/pontoonctl/pontoonctl";

fs::path FolderForNext() {
  static int count = 0;
  return FreshFolder(absl::StrCat("background", count++));
}

}  // namespace

Result RunAt(const std::string& endpoints, std::vector<std::string> arguments,
             const std::string& input) {
  arguments.insert(arguments.begin(), {"--endpoints", endpoints});
  std::istringstream in(input);
  std::ostringstream out, err;
  const ExitCode code =
      RunCommandLine(arguments, Terminal{in, out, err, Terminal::Progress::kLines});
  return {code, out.str(), err.str()};
}

std::string OutAt(const std::string& endpoints, const std::vector<std::string>& arguments,
                  const std::string& input) {
  const Result result = RunAt(endpoints, arguments, input);
  EXPECT_EQ(result.code, ExitCode::kOk)
      << ::testing::PrintToString(arguments) << ": " << result.err;
  EXPECT_EQ(result.err, "");
  return result.out;
}

fs::path FreshFolder(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / "integration" / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << bytes;
}

std::string ReadFile(const fs::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path).rdbuf();
  return bytes.str();
}

Background::Background(const std::string& endpoints, const std::vector<std::string>& arguments)
    : folder_(FolderForNext()) {
  const std::string out = folder_ / "out";
  CHECK_EQ(mkfifo(out.c_str(), 0600), 0);
  std::vector<std::string> words = {
      "sh",
      "-c",
      absl::StrCat("exec \"$0\" \"$@\" >", out, " 2>", (folder_ / "err").string()),
      kProgram,
      "--endpoints",
      endpoints};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto child = ChildProcess::Start(words, {});
  CHECK(child.ok()) << child.status();
  child_ = *std::move(child);
  out_.open(out);
}

Background::~Background() { Signal(SIGKILL); }

std::string Background::ReadLine() {
  std::string line;
  std::getline(out_, line);
  return line;
}

}  // namespace pontoon::ctl
