#include "tests/integration/files.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "raft/base/check.h"

namespace pontoon::testing {
namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string pattern = ::testing::TempDir();
  if (!pattern.ends_with('/')) pattern += '/';
  pattern += "pontoon-XXXXXX";
  CHECK(mkdtemp(pattern.data()) != nullptr) << pattern;
  path_ = pattern;
}

TempFolder::~TempFolder() {
  if (::testing::Test::HasFailure()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

bool WaitForWords(const fs::path& path, const std::string& words, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  const int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  CHECK(changes >= 0) << "inotify_init1: " << errno;
  const auto close_changes = absl::MakeCleanup([changes] { close(changes); });
  // Before the first look: no later change is missed.
  const int watch =
      inotify_add_watch(changes, path.parent_path().c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO);
  CHECK(watch >= 0) << path.parent_path() << ": " << errno;
  while (!absl::StrContains(ReadFile(path), words)) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd changed{changes, POLLIN, 0};
    poll(&changed, 1,
         static_cast<int>(absl::ToInt64Milliseconds(std::min(left, absl::Hours(1))) + 1));
    char events[4096];
    while (read(changes, events, sizeof(events)) > 0) {
    }
  }
  return true;
}

std::string LastLines(const fs::path& path, size_t lines_max) {
  const std::string content = ReadFile(path);
  size_t begin = content.size();
  for (size_t line = 0; line <= lines_max && begin != std::string::npos && begin > 0; ++line) {
    begin = content.rfind('\n', begin - 1);
  }
  const bool all = begin == std::string::npos || begin == 0;
  return all ? content : content.substr(begin + 1);
}

void WriteFile(const fs::path& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  CHECK(out.good()) << path;
}

std::map<std::string, std::string> ReadTree(const fs::path& root) {
  std::map<std::string, std::string> files;
  const auto options = fs::directory_options::follow_directory_symlink;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, options)) {
    if (entry.is_regular_file()) {
      files.emplace(entry.path().lexically_relative(root), ReadFile(entry.path()));
    }
  }
  return files;
}

std::string DifferenceOf(const std::map<std::string, std::string>& want,
                         const std::map<std::string, std::string>& got) {
  constexpr size_t kShownMax = 10;
  std::vector<std::string> differences;
  for (const auto& [name, content] : want) {
    const auto found = got.find(name);
    if (found == got.end()) {
      differences.push_back(absl::StrCat(name, " is missing"));
    } else if (found->second != content) {
      differences.push_back(absl::StrCat(name, " has other content: ", found->second.size(),
                                         " bytes for ", content.size()));
    }
  }
  for (const auto& [name, content] : got) {
    if (!want.contains(name)) differences.push_back(absl::StrCat(name, " should not be there"));
  }
  if (differences.size() > kShownMax) {
    const size_t more = differences.size() - kShownMax;
    differences.resize(kShownMax);
    differences.push_back(absl::StrCat("and ", more, " more"));
  }
  return absl::StrJoin(differences, "\n");
}

std::string DataPath(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  return fs::absolute(path);  // Bazel starts a test in the root of its data
}

}  // namespace pontoon::testing
