// Files and folders, for tests.

#ifndef PONTOON_TESTS_INTEGRATION_FILES_H_
#define PONTOON_TESTS_INTEGRATION_FILES_H_

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace pontoon::testing {

// A new empty folder in the test's scratch space. It goes with the object, unless the test has
// failed: then it stays, to be looked at.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The content of a file; "" if it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

// Waits until a file, which somebody else writes, holds `words`. False if it does not within
// `timeout`. The file's folder must exist.
bool WaitForWords(const std::filesystem::path& path, const std::string& words,
                  absl::Duration timeout);

// At most the last `lines_max` lines of a file.
std::string LastLines(const std::filesystem::path& path, size_t lines_max);

// Makes the file hold `content` and nothing else. The test program stops if that fails.
void WriteFile(const std::filesystem::path& path, std::string_view content);

// The files of a tree, links followed: path relative to `root` -> content.
std::map<std::string, std::string> ReadTree(const std::filesystem::path& root);

// "" if both trees hold the same files; otherwise the first few differences, in words.
std::string DifferenceOf(const std::map<std::string, std::string>& want,
                         const std::map<std::string, std::string>& got);

// A program or file that the test's BUILD target lists as data, by its path in the workspace. An
// absolute path is returned as it is.
std::string DataPath(std::string_view path);

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_FILES_H_
