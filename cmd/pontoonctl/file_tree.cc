#include "cmd/pontoonctl/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pontoon::ctl {
namespace {

absl::Status ErrnoStatus(const std::string& path) { return absl::ErrnoToStatus(errno, path); }

// "dir/name: Permission denied", without the code that a Status prints.
std::string ErrnoLine(const std::string& path) {
  return absl::StrCat(path, ": ", std::strerror(errno));
}

// Walks depth first; the directories from the root to here are on the stack of calls.
class Walker {
 public:
  explicit Walker(std::string root) : root_(std::move(root)) {}

  // Walks the directory at `relative`, which is empty for the root and else ends with a slash.
  void Walk(const std::string& relative) {
    const std::string path = Absolute(relative);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path.c_str()), &closedir);
    struct stat info;
    if (dir == nullptr || fstat(dirfd(dir.get()), &info) != 0) {
      tree_.errors.push_back(ErrnoLine(path));
      return;
    }
    const Identity identity(info.st_dev, info.st_ino);
    if (std::find(ancestors_.begin(), ancestors_.end(), identity) != ancestors_.end()) {
      tree_.notes.push_back(absl::StrCat(path, ": leads back to a directory above it; skipped"));
      return;
    }
    ancestors_.push_back(identity);
    while (const dirent* entry = readdir(dir.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") Visit(relative + name);
    }
    ancestors_.pop_back();
  }

  FileTree TakeTree() {
    std::sort(tree_.files.begin(), tree_.files.end(), [](const TreeFile& a, const TreeFile& b) {
      return a.relative_path < b.relative_path;
    });
    std::sort(tree_.notes.begin(), tree_.notes.end());
    std::sort(tree_.errors.begin(), tree_.errors.end());
    return std::move(tree_);
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  std::string Absolute(const std::string& relative) const {
    return absl::StrCat(root_, "/", relative);
  }

  void Visit(const std::string& relative) {
    const std::string path = Absolute(relative);
    struct stat info;
    if (stat(path.c_str(), &info) != 0) {
      tree_.errors.push_back(ErrnoLine(path));
    } else if (S_ISDIR(info.st_mode)) {
      Walk(relative + "/");
    } else if (S_ISREG(info.st_mode)) {
      tree_.files.push_back({relative, static_cast<uint64_t>(info.st_size)});
    } else {
      tree_.notes.push_back(absl::StrCat(path, ": not a regular file; skipped"));
    }
  }

  const std::string root_;
  FileTree tree_;
  std::vector<Identity> ancestors_;
};

}  // namespace

absl::StatusOr<FileTree> ReadFileTree(const std::string& directory) {
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) return ErrnoStatus(directory);
  if (!S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": not a directory"));
  }
  if (access(directory.c_str(), R_OK | X_OK) != 0) return ErrnoStatus(directory);
  Walker walker(directory);
  walker.Walk("");
  return walker.TakeTree();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_bytes_max) {
  // O_NONBLOCK: should it have become a pipe since it was seen, do not wait for a writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus(path);
  std::string bytes;
  char buffer[1 << 16];
  ssize_t length;
  while ((length = read(fd, buffer, sizeof(buffer))) != 0) {
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 || bytes.size() + length > size_bytes_max) break;
    bytes.append(buffer, length);
  }
  const absl::Status status = length < 0   ? ErrnoStatus(path)
                              : length > 0 ? absl::ResourceExhaustedError(absl::StrCat(
                                                 path, ": larger than ", size_bytes_max, " bytes"))
                                           : absl::OkStatus();
  close(fd);
  if (!status.ok()) return status;
  return bytes;
}

}  // namespace pontoon::ctl
