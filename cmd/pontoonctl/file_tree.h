// FileTree: the regular files below a directory, as an import sees them.

#ifndef PONTOON_CMD_PONTOONCTL_FILE_TREE_H_
#define PONTOON_CMD_PONTOONCTL_FILE_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pontoon::ctl {

struct TreeFile {
  // Below the directory, with slashes between: "Europe/Berlin".
  std::string relative_path;
  uint64_t size_bytes = 0;
};

struct FileTree {
  // Sorted by the bytes of relative_path, which is the order of keys in the store.
  std::vector<TreeFile> files;
  // What was left out and is no mistake: sockets, pipes, devices, links that lead back into a
  // directory above them. One readable line each.
  std::vector<std::string> notes;
  // What should be there and cannot be read: directories without permission, links to nowhere.
  std::vector<std::string> errors;
};

// Walks `directory`. Links are followed, to files and to directories, so that a directory that is
// linked twice is there twice. A directory that is its own ancestor, by device and inode, is not
// entered again, so the walk ends. An error if `directory` itself cannot be read.
absl::StatusOr<FileTree> ReadFileTree(const std::string& directory);

// All bytes of a file. An error also if it is larger than `size_bytes_max`.
absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t size_bytes_max);

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_FILE_TREE_H_
