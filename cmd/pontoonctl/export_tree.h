// ExportTree: the directory that an export writes its files to.

#ifndef PONTOON_CMD_PONTOONCTL_EXPORT_TREE_H_
#define PONTOON_CMD_PONTOONCTL_EXPORT_TREE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pontoon::ctl {

// Writes files below one directory and nowhere else: every directory on the way is opened from its
// parent and must not be a link, so not even a link that lies there already leads out of the tree.
//
// A file appears whole or not at all: it is written under the name kPartialFileName in its own
// directory, and renamed. What an interrupted export leaves under that name, the next one into the
// same directory overwrites. Such files are removed where writing fails.
//
// Not thread safe; a lock on the directory keeps other exports out.
class ExportTree {
 public:
  enum class Stored { kWritten, kWasEqual };

  // Creates the directory if need be. An error if it cannot be used, or if another export is
  // writing to it.
  static absl::StatusOr<std::unique_ptr<ExportTree>> Open(const std::string& directory);

  ~ExportTree();

  ExportTree(const ExportTree&) = delete;
  ExportTree& operator=(const ExportTree&) = delete;

  // Makes `path` a file with these bytes, unless it is one already. The error names the path; the
  // tree stays usable.
  absl::StatusOr<Stored> Store(absl::string_view path, absl::string_view bytes);

  // Brings all that was stored to the disk.
  absl::Status Sync();

 private:
  // Owns a file descriptor.
  class Descriptor;

  ExportTree(std::string directory, int root) : directory_(std::move(directory)), root_(root) {}

  absl::StatusOr<Descriptor> OpenParent(const std::vector<std::string>& components);

  const std::string directory_;
  const int root_;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_EXPORT_TREE_H_
